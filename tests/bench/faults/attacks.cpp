#include <algorithm>

#include "protocol/mesh/host_frame.h"
#include "terminal-sim/radio/radio_module.h"
#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/liar.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"
#include "tests/bench/mesh_phases.h"

/// A10, A11: somebody with bad intentions.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
using namespace mesh;
constexpr Duration patience = 1'800s;
enum Stream : std::uint64_t { attack = 1'460 };

std::vector<std::pair<DeviceNumber, Key128>> list_without(std::size_t last, std::uint64_t seed) {
    std::vector<std::pair<DeviceNumber, Key128>> list;
    for (std::size_t i = 0; i < last; ++i) list.emplace_back(test::meter_number(i), test::join_key(seed, i));
    return list;
}

/// Records what is on the air and sends it again, or something made of it, within a share of the airtime.
class Attacker {
public:
    Attacker(Scene& scene, std::size_t place, std::uint64_t seed)
        : scene_(scene), place_(place), seed_(seed) {
        scene_.on_frame = [this](std::size_t station, Bytes psdu, Instant) {
            if (station == place_ || is_ack(psdu)) return;
            if (heard_.size() >= heard_max) heard_.erase(heard_.begin());
            heard_.push_back(to_buffer(psdu));
        };
    }
    ~Attacker() { scene_.on_frame = {}; }

    /// Once per slice of the run.
    void slice(Duration length, bool forge) {
        credit_ = std::min<Duration>(credit_ + length * 2 / 5, 1s);
        if (heard_.empty()) return;
        const auto draw = sim::keyed(seed_, attack, ++turns_);
        Buffer psdu = heard_[draw % heard_.size()];
        if (airtime(psdu.size(), PhyRate::kbit50) > credit_) return;
        const auto takes = airtime(psdu.size(), PhyRate::kbit50);
        if (forge && draw >> 60 != 0) break_it(psdu, draw);
        // As polite as the others: this is no jammer.
        if (!scene_.town.field->radiate(place_, std::move(psdu))) return;
        credit_ -= takes;
        on_air_ += takes;
        ++sent_;
    }
    std::size_t sent() const { return sent_; }
    Duration on_air() const { return on_air_; }
    const std::vector<Buffer>& heard() const { return heard_; }

private:
    static constexpr std::size_t heard_max = 4'000;
    void break_it(Buffer& psdu, std::uint64_t draw) {
        const auto at = (draw >> 8) % (psdu.size() - 2);
        psdu[at] = static_cast<std::uint8_t>(psdu[at] ^ (1U << (draw >> 40) % 8));
        const auto sum = crc16(Bytes{psdu}.first(psdu.size() - 2));
        psdu[psdu.size() - 2] = static_cast<std::uint8_t>(sum >> 8);
        psdu[psdu.size() - 1] = static_cast<std::uint8_t>(sum);
    }
    Scene& scene_;
    std::size_t place_;
    std::uint64_t seed_, turns_ = 0;
    std::vector<Buffer> heard_;
    Duration credit_{}, on_air_{};
    std::size_t sent_ = 0;
};

Verdict on_the_air(std::uint64_t seed) {
    Scene scene{with_stranger(town_of(sim::LayoutKind::suburban, 100, seed)), seed};
    const std::size_t stranger = scene.size() - 1;
    scene.kill(stranger);
    scene.outside.insert(stranger);
    scene.town.roots[0]->set_meters(list_without(stranger, seed));
    Attacker attacker{scene, stranger, seed};
    scene.slice = 15ms;
    bool forge = false;
    scene.on_slice = [&](Duration length) { attacker.slice(length, forge); };
    const auto formed = scene.form(patience);
    const auto joins_of = [&](std::size_t meter) -> std::uint32_t {
        const auto* node = scene.town.field->node(meter);
        return node == nullptr ? 0 : node->counters().joins;
    };
    std::vector<std::uint32_t> joins;
    for (std::size_t i = 0; i < scene.size(); ++i) joins.push_back(joins_of(i));
    scene.read_once(scene.reachable());
    forge = true;
    const auto list = scene.reachable();
    const auto reads = scene.read_once(list);
    const auto twice_before_reboot = scene.executed_twice;
    const double share = in_seconds(attacker.on_air()) / in_seconds(scene.town.now() - test::town_start);
    // After a reboot the meters' replay windows are empty: what they took before is sent again.
    forge = false;
    for (std::size_t i = 0; i < 10; ++i) scene.kill(i);
    scene.run_for(5s);
    for (std::size_t i = 0; i < 10; ++i) scene.revive(i);
    scene.run_for(300s);
    scene.town.field->kill(test::concentrator_number(0));
    scene.run_for(5s);
    scene.town.field->revive(test::concentrator_number(0));
    scene.run_for(120s);
    scene.on_slice = {};
    scene.run_for(60s);
    const auto after = scene.read(scene.reachable(), 300s);
    std::size_t made_to_join = 0;  // ten count from zero again
    for (std::size_t i = 0; i < scene.size(); ++i)
        made_to_join += joins_of(i) > (i < 10 ? 0 : joins[i]) ? 1 : 0;
    Verdict verdict;
    verdict.variant = "on the air, 40 % of it";
    verdict.add("formed_s", formed).add("sent", attacker.sent());
    verdict.add("first_read_success", reads.share_first()).add("first_read_after", after.share_first());
    verdict.add("share_of_airtime", share).add("executed_twice", twice_before_reboot);
    verdict.add("executed_twice_after_reboot", scene.executed_twice - twice_before_reboot)
        .add("wrong_answers", scene.wrong_answers);
    verdict.add("made_to_join_again", made_to_join);
    verdict.add("unknown_told", scene.unknown.size()).add("ghosts", scene.ghosts());
    verdict.must(twice_before_reboot == 0, "a replayed request was executed");
    verdict.must(scene.executed_twice == twice_before_reboot,
                 "a request of before a reboot was executed after it: a meter forgets what it has heard");
    verdict.must(scene.wrong_answers == 0, "a replayed answer was taken");
    verdict.must(made_to_join == 0, "a meter was made to join again");
    verdict.must(reads.share_first() >= 0.95, "less than 95 % of the legal reads were answered at once");
    verdict.must(scene.ghosts() == 0, "the books are wrong afterwards");
    return verdict;
}

class Deaf final : public Transceiver {
public:
    bool channel_busy() override { return true; }
    void transmit(Buffer, Duration) override { ++sent; }
    std::size_t sent = 0;
};

/// Cut short, noise, as it was, or one bit turned and the checksum made right.
void spoil(Buffer& psdu, std::uint64_t draw, Random& random) {
    switch (draw >> 61) {
        case 0:
            psdu.resize((draw >> 32) % (psdu.size() + 1));
            return;
        case 1:
            random.fill(psdu);
            return;
        case 2:
            return;
        default:
            break;
    }
    psdu[(draw >> 32) % psdu.size()] ^= static_cast<std::uint8_t>(1U << (draw >> 20) % 8);
    if (psdu.size() < 3) return;
    const auto sum = crc16(Bytes{psdu}.first(psdu.size() - 2));
    psdu[psdu.size() - 2] = static_cast<std::uint8_t>(sum >> 8);
    psdu[psdu.size() - 1] = static_cast<std::uint8_t>(sum);
}

/// Everything a radio could hand up, whatever it is worth: 1000 frames a second, without a radio.
Verdict into_decoders(std::uint64_t seed) {
    std::vector<Buffer> heard;
    {
        Scene scene{town_of(sim::LayoutKind::suburban, 40, seed), seed};
        scene.on_frame = [&](std::size_t, Bytes psdu, Instant) { heard.push_back(to_buffer(psdu)); };
        scene.form(patience);
        scene.read_once(scene.reachable());
    }
    security::OpensslCiphers ciphers;
    test::SeededRandom random{seed};
    Deaf deaf, deaf_node;
    sim::RadioModule module{PhyRate::kbit50, ciphers, random, deaf};
    concentrator::MeshRoot root{{.concentrator = test::concentrator_number(0),
                                 .pan = concentrator::pan_of(test::concentrator_number(0))},
                                ciphers,
                                random};
    root.set_meters(list_without(40, seed + 1));  // other keys: everything that comes is strange
    Node node{{.number = test::meter_number(0), .join_key = test::join_key(seed + 1, 0)},
              {},
              ciphers,
              random,
              deaf_node};
    Instant now = test::town_start;
    module.start(now);
    node.start(now);
    std::size_t handed_over_max = 0, requests = 0, events = 0;
    const double cpu = cpu_s();
    constexpr std::size_t frames = 120'000;
    for (std::size_t i = 0; i < frames; ++i) {
        const auto draw = sim::keyed(seed, attack, 1'000'000 + i);
        Buffer psdu = heard[draw % heard.size()];
        spoil(psdu, draw, random);
        now += 1ms;
        module.received_psdu(psdu, -80, now);
        node.received_psdu(psdu, -80, now);
        if (module.next_deadline() <= now) module.tick(now);
        if (node.next_deadline() <= now) node.tick(now);
        while (node.take_request()) ++requests;
        if (i % 10 != 0) continue;  // the host looks every 10 ms
        std::size_t handed_over = 0;
        for (; auto payload = module.take(); ++handed_over) root.receive(*payload, now);
        handed_over_max = std::max(handed_over_max, handed_over);
        root.tick(now);
        while (auto payload = root.take_output()) module.host_received(*payload, now);
        while (root.take_event()) ++events;
    }
    const double cpu_us = (cpu_s() - cpu) * 1e6 / static_cast<double>(frames);
    std::size_t joined = 0;
    for (const auto& one : root.topology()) joined += one.state == dcu::NodeState::joined ? 1 : 0;
    Verdict verdict;
    verdict.variant = "1000 frames a second into the decoders";
    verdict.add("frames", frames).add("cpu_us_per_frame", cpu_us);
    verdict.add("handed_over_at_once_max", handed_over_max).add("topology", root.topology().size());
    verdict.add("joined", joined).add("requests_executed", requests).add("events", events);
    verdict.must(joined == 0 && requests == 0 && !node.joined(), "something was accepted");
    // 40 on the list, whose numbers are tried with wrong keys, and 256 that are not.
    verdict.must(handed_over_max <= 256 && root.topology().size() <= 40 + 256 && events <= 40 + 256,
                 "memory is not bounded");
    verdict.must(cpu_us < 1'000, "slower than they come");
    return verdict;
}

}  // namespace

std::vector<Verdict> replays_and_forgeries(std::uint64_t seed) {
    return {on_the_air(seed), into_decoders(seed)};
}

namespace {

Verdict insider(std::uint64_t seed, std::uint16_t rank_told) {
    Scene scene{town_of(sim::LayoutKind::suburban, 300, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    scene.read_once(scene.reachable());
    std::vector<std::size_t> below(scene.size(), 0);
    for (std::size_t i = 0; i < scene.size(); ++i)
        for (const auto relay : scene.relays_of(i)) ++below[relay];
    const auto liar = static_cast<std::size_t>(std::max_element(below.begin(), below.end()) - below.begin());
    std::size_t evictions = 0, honest_evicted = 0;
    scene.on_event = [&](const concentrator::MeshEvent& event, Instant) {
        if (const auto* one = std::get_if<concentrator::MeshEvicted>(&event))
            ++(one->meter == test::meter_number(liar) ? evictions : honest_evicted);
    };
    const auto state = decode_node_state(scene.town.field->save_state(test::meter_number(liar)));
    scene.town.field->set_program(liar, [&](Transceiver& radio, Random& random) {
        return std::make_unique<Liar>(
            NodeSettings{.number = test::meter_number(liar), .join_key = test::join_key(seed, liar)}, *state,
            scene.town.ciphers, random, radio, rank_told);
    });
    scene.kill(liar);
    scene.outside.insert(liar);
    scene.revive(liar);
    std::size_t reads_through = 0, dropped = 0;
    std::optional<std::size_t> isolated_after;
    const auto through_liar = [&] {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < scene.size(); ++i) {
            const auto relays = scene.relays_of(i);
            if (std::find(relays.begin(), relays.end(), liar) != relays.end()) found.push_back(i);
        }
        return found;
    };
    const auto behind = through_liar();
    for (std::size_t turn = 0; turn < 60 && !behind.empty() && !isolated_after; ++turn) {
        const auto through = through_liar();
        if (!through.empty()) scene.read_once({through[turn % through.size()]});
        ++reads_through;
        if (through_liar().empty()) isolated_after = reads_through;
    }
    const Instant isolated = scene.town.now();
    for (int round = 0; round < 20 && evictions == 0; ++round) {
        scene.read_once(behind);
        scene.run_for(60s, [&] { return evictions > 0; });
    }
    const auto evicted =
        evictions > 0 ? std::optional{in_seconds(scene.town.now() - isolated)} : std::nullopt;
    scene.run_for(600s);
    const auto children = [&] {
        std::size_t count = 0;
        for (std::size_t i = 0; i < scene.size(); ++i) {
            const auto* node = scene.town.field->node(i);
            count +=
                i != liar && node != nullptr && node->attached() && node->parent() == state->short_address;
        }
        return count;
    };
    const auto left = children();
    auto rest = scene.reachable();
    std::erase_if(rest, [&](std::size_t meter) { return meter == liar || !scene.tree().reaches(meter); });
    const auto reads = scene.read_once(rest);
    // Its ban of an hour ends: it may join, is tried again and put out again.
    scene.run_for(5'400s);
    const auto later = scene.read_once(rest);
    scene.town.field->with_program(
        liar, [&](sim::RadioProgram& program, Instant) { dropped = dynamic_cast<Liar&>(program).dropped(); });
    Verdict verdict;
    verdict.variant = "says rank " + std::to_string(rank_told);
    verdict.add("behind_it", behind.size()).add("dropped", dropped);
    verdict.add("isolated_after_reads",
                isolated_after ? std::optional{static_cast<double>(*isolated_after)} : std::nullopt);
    verdict.add("evicted_after_s", evicted).add("children_left", left);
    verdict.add("still_routed_through_it", through_liar().size())
        .add("first_read_after", reads.share_first());
    verdict.add("first_read_after_the_ban", later.share_first()).add("evictions", evictions);
    verdict.add("honest_evicted", honest_evicted);
    verdict.must(isolated_after && *isolated_after <= 10, "it was not out of all routes within ten reads");
    verdict.must(evicted.has_value() && left == 0, "it was not evicted, or others still hang on it");
    verdict.must(reads.share_first() >= 0.99, "less than 99 % of the reads were answered at once afterwards");
    verdict.must(later.share_first() >= 0.99, "less than 99 % of the reads after it might come back");
    verdict.must(honest_evicted == 0, "an honest relay was put out");
    return verdict;
}

}  // namespace

std::vector<Verdict> sinkhole(std::uint64_t seed) {
    // Nearer than anybody can be, which everybody sees; and as near as a neighbour of the root may be.
    return {insider(seed, 1), insider(seed, rank_per_transmission)};
}

}  // namespace wattmesh::bench
