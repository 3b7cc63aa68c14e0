#include "concentrator/mesh/image_sender.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;
using mesh::ImageState;

namespace {

DeviceNumber sender_meter(std::size_t i) { return *DeviceNumber::parse(std::to_string(540'000'000'000 + i)); }

/// Meters that hear what `hears` lets them hear; no network.
struct Crowd {
    Crowd(std::size_t block_count, std::size_t size) : blocks(block_count) {
        std::vector<DeviceNumber> numbers;
        for (std::size_t i = 0; i < size; ++i) {
            numbers.push_back(sender_meter(i));
            there[numbers.back()] = {};
        }
        sender.emplace(blocks, numbers);
    }
    mesh::ImageStatus status(DeviceNumber meter, bool window) const {
        mesh::ImageStatus told{.state = ImageState::verified, .image = 1};
        const auto& held = there.at(meter);
        if (held.size() == blocks) return told;
        told.state = ImageState::receiving;
        told.missing = static_cast<std::uint16_t>(blocks - held.size());
        for (std::size_t i = 0; i < blocks; ++i)
            if (const auto index = static_cast<std::uint16_t>(i); window && !held.contains(index))
                if (told.first_missing.empty() || i < told.first_missing.front() + mesh::image_window)
                    told.first_missing.push_back(index);
        return told;
    }
    /// Until it is finished; false: not within so many steps.
    bool run(std::size_t steps_max) {
        const ImageSender::Ways ways{.hops =
                                         [this](DeviceNumber meter) {
                                             return away.contains(meter) ? std::nullopt
                                                                         : std::optional<std::size_t>{2};
                                         },
                                     .relays = relays};
        for (std::size_t i = 0; i < steps_max && !sender->finished(); ++i) {
            now += 3s;
            const auto step = sender->next(now, ways);
            if (!step) continue;
            if (const auto* ask = std::get_if<ImageSender::Ask>(&*step)) {
                mute.contains(ask->meter) ? sender->silent(ask->meter, now)
                                          : sender->answered(ask->meter, status(ask->meter, true), now);
            } else if (const auto* one = std::get_if<ImageSender::One>(&*step)) {
                if (mute.contains(one->meter)) {
                    sender->silent(one->meter, now);
                    continue;
                }
                alone.emplace_back(one->meter, one->index);
                there[one->meter].insert(one->index);
                sender->answered(one->meter, status(one->meter, false), now);
            } else {
                const auto& all = std::get<ImageSender::Everybody>(*step);
                for (auto& [meter, held] : there)
                    if (!away.contains(meter) && hears(meter, all)) held.insert(all.index);
            }
        }
        return sender->finished();
    }

    std::size_t blocks, relays = 10;
    std::map<DeviceNumber, std::set<std::uint16_t>> there;
    std::set<DeviceNumber> away, mute;
    std::function<bool(DeviceNumber, const ImageSender::Everybody&)> hears = [](auto, auto) { return true; };
    std::vector<std::pair<DeviceNumber, std::uint16_t>> alone;
    std::optional<ImageSender> sender;
    Instant now{Duration{1'760'000'000'000'000}};
};

}  // namespace

TEST_CASE("image sender: what everybody misses goes out once, to all", "[mesh][image]") {
    Crowd crowd{500, 50};
    REQUIRE(crowd.run(2'000));
    CHECK(crowd.sender->progress() == ImageSender::Progress{.meters = 50,
                                                            .verified = 50,
                                                            .blocks = 500,
                                                            .missing = 0,
                                                            .passes = 1,
                                                            .broadcasts = 500,
                                                            .alone = 0,
                                                            .asked = 100});
}

TEST_CASE("image sender: what many miss is repeated to all, what few miss to each alone", "[mesh][image]") {
    Crowd crowd{300, 50};
    // Block 7 is lost on everybody the first time; blocks 20 and 21 always on two meters.
    crowd.hears = [](DeviceNumber meter, const ImageSender::Everybody& sent) {
        if (sent.index == 7) return sent.pass > 1;
        return (sent.index != 20 && sent.index != 21) ||
               (meter != sender_meter(3) && meter != sender_meter(4));
    };
    REQUIRE(crowd.run(2'000));
    const auto at = crowd.sender->progress();
    CHECK(at.passes == 2);
    CHECK(at.broadcasts == 301);
    CHECK(crowd.alone ==
          std::vector<std::pair<DeviceNumber, std::uint16_t>>{
              {sender_meter(3), 20}, {sender_meter(3), 21}, {sender_meter(4), 20}, {sender_meter(4), 21}});
}

TEST_CASE("image sender: after a restart it begins with what the meters have", "[mesh][image]") {
    Crowd crowd{300, 50};
    CHECK_FALSE(crowd.run(250));  // fifty questions, two hundred blocks
    crowd.sender.emplace(std::size_t{300}, [] {
        std::vector<DeviceNumber> numbers;
        for (std::size_t i = 0; i < 50; ++i) numbers.push_back(sender_meter(i));
        return numbers;
    }());
    REQUIRE(crowd.run(2'000));
    CHECK(crowd.sender->progress().broadcasts == 100);
}

TEST_CASE("image sender: who is away or deaf to broadcasts is served when there is a way", "[mesh][image]") {
    Crowd crowd{100, 30};
    crowd.away.insert(sender_meter(1));
    crowd.mute.insert(sender_meter(2));
    crowd.hears = [](DeviceNumber meter, auto) { return meter != sender_meter(8); };
    CHECK_FALSE(crowd.run(1'000));
    auto at = crowd.sender->progress();
    CHECK(at.verified == 28);  // the mute one hears all the same; nobody knows
    crowd.away.clear();
    crowd.mute.clear();
    REQUIRE(crowd.run(2'000));
    at = crowd.sender->progress();
    CHECK(at.verified == 30);
    CHECK(at.broadcasts == 100);
    CHECK(at.alone == 200);
}

TEST_CASE("image sender: nobody is asked without end, and a pass that brings nothing is not repeated",
          "[mesh][image]") {
    Crowd crowd{100, 30};
    crowd.hears = [](auto, auto) { return false; };
    REQUIRE(crowd.run(10'000));
    const auto at = crowd.sender->progress();
    CHECK(at.broadcasts == 100);
    CHECK(at.alone == 3'000);
    CHECK(at.asked <= 120);
}

TEST_CASE("image sender: an image longer than what one answer can name", "[mesh][image]") {
    Crowd crowd{2'000, 12};
    int heard = 0;
    crowd.hears = [&](auto, auto) { return ++heard % 10 != 0; };
    REQUIRE(crowd.run(40'000));
    CHECK(crowd.sender->progress().verified == 12);
}

TEST_CASE("image sender: refusals and failures are ends as well", "[mesh][image]") {
    ImageSender sender{10, {sender_meter(1), sender_meter(2), sender_meter(2)}};
    const ImageSender::Ways ways{.hops = [](DeviceNumber) { return std::optional<std::size_t>{1}; },
                                 .relays = 1};
    const Instant now{Duration{1}};
    REQUIRE(sender.next(now, ways));
    REQUIRE(sender.next(now, ways));
    CHECK_FALSE(sender.next(now, ways));  // both are asked
    sender.answered(sender_meter(1), {.state = ImageState::refused}, now);
    sender.answered(sender_meter(9), {.state = ImageState::failed}, now);
    CHECK_FALSE(sender.finished());
    sender.answered(sender_meter(2), {.state = ImageState::failed}, now);
    CHECK(sender.finished());
    CHECK(sender.progress().done() == 2);
}
