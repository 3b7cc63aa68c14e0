#include <algorithm>
#include <deque>

#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"
#include "tests/concentrator/mesh/meter_flash.h"

/// A18: a firmware image during the daily read.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
constexpr Duration forming = 1'800s, quarter = 900s, window = 3h, patience_image = 6h, command_deadline = 10s;
constexpr std::size_t file_size = 200'000;
constexpr int rounds_compared = 8, commands_per_round = 6;
enum Stream : std::uint64_t { commanded = 1'810 };

/// Reads every quarter of an hour and a few relay commands in between, with an image under way or without.
class Day {
public:
    Day(sim::LayoutKind kind, std::size_t meters, std::uint64_t seed, bool with_image)
        : seed_(seed),
          with_image_(with_image),
          scene{town_of(kind, meters, seed), seed},
          vendor_{scene.town.ciphers},
          file_(vendor_.file(file_size - 200)) {
        for (std::size_t i = 0; i < scene.size(); ++i) {
            flashes_.emplace_back(vendor_);
            scene.town.field->set_image_flash(i, &flashes_.back());
        }
        scene.on_event = [this](const concentrator::MeshEvent& event, Instant at) { look(event, at); };
        scene.on_frame = [this](std::size_t station, Bytes psdu, Instant) {
            const auto type = mesh::type_index(psdu);
            if (type == static_cast<std::size_t>(mesh::FrameType::image_block) ||
                type == static_cast<std::size_t>(mesh::FrameType::image_request))
                spent_[station] += mesh::airtime(psdu.size(), mesh::PhyRate::kbit50);
        };
        scene.form(forming);
        scene.round_s();
        reachable_ = scene.reachable().size();
    }

    void run() {
        began_ = scene.town.now();
        if (with_image_) distribute();
        for (int round = 0; round < rounds_compared || (with_image_ && !ended && running() < patience_image);
             ++round) {
            const Instant from = scene.town.now();
            const auto reads = scene.read(scene.reachable(), 300s);
            if (round < rounds_compared) {
                first_ += reads.share_first() / rounds_compared;
                round_s_ += reads.last_s().value_or(300) / rounds_compared;
            }
            for (int i = 0; i < commands_per_round; ++i) {
                scene.run_for(97s);
                if (round < rounds_compared) command(round * commands_per_round + i);
            }
            if (with_image_ && round == 2) trouble();
            if (scene.town.now() < from + quarter) scene.run_for(from + quarter - scene.town.now());
        }
    }

    Duration running() const { return scene.town.now() - began_; }
    double first() const { return first_; }
    double round_s() const { return round_s_; }
    std::optional<double> command_s(double share) const {
        auto sorted = took_;
        std::sort(sorted.begin(), sorted.end());
        if (sorted.empty()) return std::nullopt;
        return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
    }
    std::size_t commands_lost() const { return lost_; }
    std::size_t reachable() const { return reachable_; }
    /// With the very octets that were sent.
    std::size_t verified() const {
        std::size_t count = 0;
        for (const auto& flash : flashes_)
            count += flash.offer() && flash.state() == mesh::ImageState::verified &&
                             to_buffer(flash.octets()) == file_
                         ? 1
                         : 0;
        return count;
    }
    std::size_t taken_twice() const {
        std::size_t count = 0;
        for (const auto& flash : flashes_) count += flash.kept > flash.held() ? flash.kept - flash.held() : 0;
        return count;
    }
    double fullest_percent() const {
        Duration most{};
        for (const auto& [station, spent] : spent_) most = std::max(most, spent);
        return 100 * in_seconds(most) / in_seconds(ended_at_.value_or(scene.town.now()) - began_);
    }
    std::optional<double> image_s() const {
        return ended ? std::optional{in_seconds(*ended_at_ - began_)} : std::nullopt;
    }

    std::optional<concentrator::MeshImageEnded> ended;
    std::uint64_t held_at_trouble = 0;
    std::size_t broadcasts_before = 0, alone_before = 0;

private:
    void distribute() {
        concentrator::ImageOrder order{.number = 1, .octets = file_, .patience = patience_image};
        for (std::size_t i = 0; i < scene.size(); ++i) order.meters.push_back(test::meter_number(i));
        if (!scene.town.roots[0]->distribute_image(std::move(order), scene.town.now()))
            throw std::runtime_error("the image was not taken");
    }
    /// The concentrator restarts and knows nothing of the image; a meter is without power for five minutes.
    void trouble() {
        const auto meter = scene.size() / 2;
        scene.kill(meter);
        const auto progress = scene.town.roots[0]->image_progress();
        broadcasts_before = progress ? progress->broadcasts : 0;
        alone_before = progress ? progress->alone : 0;
        const Buffer state = scene.town.roots[0]->save_state();
        scene.town.roots[0].reset();
        scene.run_for(10s);
        scene.town.start_root(0, mesh::PhyRate::kbit50, state);
        if (!ended) distribute();
        scene.run_for(290s);
        scene.revive(meter);
    }
    void command(int turn) {
        const auto list = scene.reachable();
        const auto meter = list[sim::keyed(seed_, commanded, static_cast<std::uint64_t>(turn)) % list.size()];
        const Instant at = scene.town.now();
        const auto handle =
            scene.town.roots[0]->send(test::meter_number(meter), Buffer(84, 3), 0, at, command_deadline);
        commands_.emplace(handle, at);
        scene.run_for(command_deadline, [&] { return !commands_.contains(handle); });
    }
    void look(const concentrator::MeshEvent& event, Instant at) {
        if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event)) {
            const auto found = commands_.extract(answer->handle);
            if (!found.empty()) took_.push_back(in_seconds(at - found.mapped()));
        }
        if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event))
            lost_ += commands_.erase(failure->handle);
        if (const auto* one = std::get_if<concentrator::MeshImageEnded>(&event)) {
            ended = *one;
            ended_at_ = at;
        }
    }

    std::uint64_t seed_;
    bool with_image_;

public:
    Scene scene;

private:
    test::Vendor vendor_;
    Buffer file_;
    std::deque<test::MeterFlash> flashes_;
    std::map<std::size_t, Duration> spent_;
    std::map<std::uint32_t, Instant> commands_;
    std::vector<double> took_;
    std::size_t lost_ = 0, reachable_ = 0;
    double first_ = 0, round_s_ = 0;
    Instant began_{};
    std::optional<Instant> ended_at_;
};

Verdict image_in(sim::LayoutKind kind, std::size_t meters, std::uint64_t seed, const char* name) {
    Day without{kind, meters, seed, false};
    without.run();
    Day with{kind, meters, seed, true};
    with.run();
    Verdict verdict;
    verdict.variant = name;
    verdict.add("image_s", with.image_s())
        .add("verified", with.verified())
        .add("reachable", with.reachable());
    verdict.add("first_read_without", without.first()).add("first_read_with", with.first());
    verdict.add("round_s_without", without.round_s()).add("round_s_with", with.round_s());
    verdict.add("command_p50_s_without", without.command_s(0.5))
        .add("command_p50_s_with", with.command_s(0.5));
    verdict.add("command_max_s_without", without.command_s(1)).add("command_max_s_with", with.command_s(1));
    verdict.add("commands_lost_without", without.commands_lost());
    verdict.add("commands_lost_with", with.commands_lost());
    verdict.add("fullest_radio_percent", with.fullest_percent());
    if (with.ended) {
        const auto& at = with.ended->progress;
        verdict.add("passes", at.passes).add("broadcasts", with.broadcasts_before + at.broadcasts);
        verdict.add("alone", with.alone_before + at.alone);
    }
    verdict.add("blocks_taken_twice", with.taken_twice());
    verdict.must(with.verified() >= with.reachable(), "a meter that can be reached has not got the image");
    verdict.must(with.image_s() && *with.image_s() <= in_seconds(window), "it took more than three hours");
    verdict.must(with.first() >= without.first() - 0.005, "the image costs first reads");
    verdict.must(with.commands_lost() <= without.commands_lost(), "the image costs relay commands");
    verdict.must(with.command_s(0.5).value_or(99) <= without.command_s(0.5).value_or(99) * 1.25 + 0.05,
                 "relay commands wait for the image");
    verdict.must(with.taken_twice() == 0, "blocks that were there were taken again");
    return verdict;
}

}  // namespace

std::vector<Verdict> firmware_broadcast(std::uint64_t seed) {
    return {image_in(sim::LayoutKind::rural, 150, seed, "R150"),
            image_in(sim::LayoutKind::suburban, 300, seed, "S300")};
}

}  // namespace wattmesh::bench
