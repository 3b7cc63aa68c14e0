#include "terminal-sim/radio/air.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <optional>

#include "terminal-sim/radio/kernel.h"
#include "tests/concentrator/mesh/town.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t frame_octets = 80;
const Instant noon{Duration{1'760'011'200'000'000}};
const Duration preamble = mesh::airtime(0, mesh::PhyRate::kbit50);
const Duration length = mesh::airtime(frame_octets, mesh::PhyRate::kbit50);

/// Three radios of a suburb such that `receiver` hears `strong` that many dB above `weak`, both well above
/// its noise.
struct Scene {
    explicit Scene(double apart_min_db, double apart_max_db)
        : town(layout({.kind = LayoutKind::suburban, .meters = 80, .seed = 7})),
          channel(town, 7, mesh::PhyRate::kbit50),
          air(channel, 7, mesh::PhyRate::kbit50, noon) {
        for (std::size_t node = 0; node < channel.size(); ++node) air.power(node, true);
        const auto snr = [&](std::size_t from) {
            return channel.now_mdbm(from, receiver, 0, noon) - channel.noise_mdbm(receiver, noon);
        };
        for (receiver = 0; receiver < 20; ++receiver)
            for (strong = 20; strong < 80; ++strong)
                for (weak = 20; weak < 80; ++weak) {
                    const double apart = (snr(strong) - snr(weak)) / 1'000.0;
                    if (strong != weak && snr(weak) > 20'000 && apart >= apart_min_db &&
                        apart <= apart_max_db)
                        return;
                }
        FAIL("no such three radios");
    }
    /// What `receiver` made of this transmission; nothing: it was not locked on it.
    std::optional<bool> end(std::size_t transmission, Instant at) {
        std::optional<bool> found;
        for (const auto& one : air.end(transmission, false, at))
            if (one.node == receiver) found = one.intact;
        return found;
    }
    Layout town;
    Channel channel;
    Air air;
    std::size_t receiver = 0, strong = 0, weak = 0;
};

}  // namespace

TEST_CASE("air: a frame 6 dB stronger takes over during the preamble, not after it", "[radio]") {
    Scene scene{15, 40};
    SECTION("during") {
        const auto first = scene.air.begin(scene.weak, frame_octets, noon);
        const auto second = scene.air.begin(scene.strong, frame_octets, noon + preamble / 2);
        CHECK(scene.end(first, noon + length) == std::nullopt);
        CHECK(scene.end(second, noon + length + preamble / 2) == true);
    }
    SECTION("after: both are lost") {
        const auto first = scene.air.begin(scene.weak, frame_octets, noon);
        const auto second = scene.air.begin(scene.strong, frame_octets, noon + preamble + 1us);
        CHECK(scene.end(first, noon + length) == false);
        CHECK(scene.end(second, noon + length + preamble + 1us) == std::nullopt);
    }
    SECTION("the stronger one first: it comes through") {
        const auto first = scene.air.begin(scene.strong, frame_octets, noon);
        const auto second = scene.air.begin(scene.weak, frame_octets, noon + 1us);
        CHECK(scene.end(first, noon + length) == true);
        CHECK(scene.end(second, noon + length + 1us) == std::nullopt);
    }
}

TEST_CASE("air: equals destroy each other, and only while they overlap", "[radio]") {
    Scene scene{-1, 1};
    const auto first = scene.air.begin(scene.strong, frame_octets, noon);
    SECTION("half of it is enough") {
        const auto second = scene.air.begin(scene.weak, frame_octets, noon + length / 2);
        CHECK(scene.end(first, noon + length) == false);
        CHECK(scene.end(second, noon + length + length / 2) == std::nullopt);
    }
    SECTION("one after the other both come through") {
        CHECK(scene.end(first, noon + length) == true);
        const auto second = scene.air.begin(scene.weak, frame_octets, noon + length);
        CHECK(scene.end(second, noon + 2 * length) == true);
    }
}

TEST_CASE("air: a radio that sends is deaf, one that is off too", "[radio]") {
    Scene scene{0, 3};
    SECTION("sending") {
        scene.air.start_sending(scene.receiver);
        CHECK(scene.air.busy(scene.receiver));
        const auto frame = scene.air.begin(scene.strong, frame_octets, noon);
        scene.air.stop_sending(scene.receiver);
        CHECK(scene.end(frame, noon + length) == std::nullopt);
    }
    SECTION("beginning to send in the middle of a frame loses it") {
        const auto frame = scene.air.begin(scene.strong, frame_octets, noon);
        scene.air.start_sending(scene.receiver);
        CHECK(scene.end(frame, noon + length) == std::nullopt);
    }
    SECTION("off") {
        scene.air.power(scene.receiver, false);
        CHECK(scene.end(scene.air.begin(scene.strong, frame_octets, noon), noon + length) == std::nullopt);
    }
}

TEST_CASE("air: one channel is heard at a time, the next one leaks with -30 dB", "[radio]") {
    Scene scene{-1, 1};
    const auto listen = [&](int channel) { scene.air.tune(scene.receiver, channel, noon); };
    scene.air.tune(scene.strong, 3, noon);
    SECTION("not tuned in") {
        listen(4);
        const auto frame = scene.air.begin(scene.strong, frame_octets, noon);
        CHECK(scene.end(frame, noon + length) == std::nullopt);
    }
    SECTION("tuned in") {
        listen(3);
        CHECK(scene.end(scene.air.begin(scene.strong, frame_octets, noon), noon + length).has_value());
    }
    SECTION("an equal two channels away does no harm") {
        listen(3);
        scene.air.tune(scene.weak, 5, noon);
        const auto frame = scene.air.begin(scene.strong, frame_octets, noon);
        const auto other = scene.air.begin(scene.weak, frame_octets, noon);
        CHECK(scene.end(frame, noon + length).has_value());
        CHECK(scene.end(other, noon + length) == std::nullopt);
    }
    SECTION("one who tunes in late hears that the channel is taken, but has missed the preamble") {
        listen(0);
        const auto frame = scene.air.begin(scene.strong, 200, noon);
        CHECK(!scene.air.busy(scene.receiver));
        listen(3);
        const bool loud = scene.channel.now_mdbm(scene.strong, scene.receiver, 3, noon) >= -92'000;
        CHECK(scene.air.busy(scene.receiver) == loud);
        CHECK(scene.end(frame, noon + 1s) == std::nullopt);
    }
    SECTION("a foreign burst disturbs its own channel and those who are near") {
        listen(3);
        const auto& place = scene.channel.place(scene.receiver);
        const Channel::Burst here{noon, 3, place.x_cm, place.y_cm},
            far{noon, 3, place.x_cm + 20'000, place.y_cm}, elsewhere{noon, 6, place.x_cm, place.y_cm};
        for (const auto& [burst, heard] :
             {std::pair{here, true}, std::pair{far, false}, std::pair{elsewhere, false}}) {
            scene.air.burst(burst, true, noon);
            CHECK(scene.air.busy(scene.receiver) == heard);  // -90 dBm against an assessment at -92
            scene.air.burst(burst, false, noon + Channel::burst_length);
            CHECK(!scene.air.busy(scene.receiver));
        }
    }
}

TEST_CASE("channel: what the air keeps between looks gives the same values", "[radio]") {
    const Layout town = layout({.kind = LayoutKind::rural, .meters = 12, .seed = 5});
    const Channel channel{town, 5, mesh::PhyRate::kbit10};
    for (std::size_t from = 0; from < 12; ++from) {
        Link link = channel.link(from, 12);
        for (int step = 0; step < 500; ++step) {
            const Instant at = noon + std::chrono::milliseconds{step * 40'321};
            const Mdb value = channel.now_mdbm(from, 12, step % 8, at);
            CHECK(channel.now_mdbm(link, step % 8, at, -200'000) == value);
            CHECK(channel.now_mdbm(link, step % 8, at, value + 1) == std::nullopt);
        }
    }
}

TEST_CASE("field: looking at the channel, or asking the oracle, changes nothing", "[radio]") {
    const auto trace = [](bool look) {
        test::Town town{{.kind = LayoutKind::suburban, .meters = 25, .seed = 4}, {.seed = 4, .start = noon}};
        for (int step = 0; step < 20; ++step) {
            town.run_for(1s);
            if (!look) continue;
            town.field->oracle_hops();
            for (std::size_t a = 0; a < 25; ++a)
                town.field->channel().now_mdbm(a, 25, step % 8, town.now() + 1h);
        }
        return town.field->trace_hash();
    };
    CHECK(trace(true) == trace(false));
}

TEST_CASE("duty ledger: a rolling hour, and what each profile allows", "[radio]") {
    const Duration frame = 200ms;
    DutyLedger meter{DutyProfile::ten_and_one, false}, concentrator{DutyProfile::ten_and_one, true},
        polite{DutyProfile::polite, false}, burst{DutyProfile::short_burst, false},
        free{DutyProfile::none, false};
    const auto fill = [&](DutyLedger& ledger, Instant from, int count) {
        for (int i = 0; i < count; ++i) ledger.sent(frame, from + i * 1s);
    };
    fill(meter, noon, 180);  // 36 s of 3600
    CHECK(meter.used(noon + 3min) == 36s);
    CHECK(!meter.allows(frame, noon + 30min));
    CHECK(!meter.allows(frame, noon + 59min));
    CHECK(meter.allows(frame, noon + 62min));  // the first minute's 60 are forgotten
    CHECK(meter.used(noon + 3h) == 0s);
    CHECK(meter.most_used() == 36s);
    fill(concentrator, noon, 180);
    CHECK(concentrator.allows(frame, noon + 30min));
    polite.sent(frame, noon);
    CHECK(!polite.allows(frame, noon + frame + 99ms));
    CHECK(polite.allows(frame, noon + frame + 100ms));
    fill(polite, noon, 499);
    CHECK(!polite.allows(frame, noon + 20min));
    CHECK(burst.allows(1s, noon));
    CHECK(!burst.allows(1'001ms, noon));
    fill(free, noon, 3'000);
    CHECK(free.allows(frame, noon + 1s));
}

TEST_CASE("field: a meter whose hour is spent waits, and says so", "[radio]") {
    // Forming costs a meter far less than 36 s; two rounds a minute of reads cost more within the hour.
    const auto run = [](DutyProfile duty) {
        test::Town town{{.kind = LayoutKind::suburban, .meters = 6, .seed = 4},
                        {.seed = 4, .start = noon, .rate = mesh::PhyRate::kbit10, .duty = duty}};
        town.answer_size = 200;
        town.run_for(60s);
        for (int round = 0; round < 400; ++round) {
            town.read(0, 5s);
            town.run_for(2s);
        }
        return std::pair{town.field->fullest_hour().meter, town.field->counters().duty_waits};
    };
    const auto [free_hour, free_waits] = run(DutyProfile::none);
    const auto [held_hour, held_waits] = run(DutyProfile::ten_and_one);
    CHECK(free_waits == 0);
    INFO("free " << free_hour.count() << " held " << held_hour.count());
    CHECK(free_hour > 70s);
    CHECK(held_hour < 46s);  // 36 s, and acknowledgements, which are never held back
    CHECK(held_waits > 0);
}

TEST_CASE("station: its clock runs up to 20 ppm off, and a deadline is met at the first true instant",
          "[radio]") {
    for (const std::int64_t ppb : {-20'000, -1, 0, 7, 20'000}) {
        const LocalClock clock{noon, ppb};
        CHECK((clock.at(noon + 1'000'000s) - noon - 1'000'000s).count() == ppb * 1'000);
        for (const Duration after : {Duration{0}, Duration{1}, Duration{999'999}, Duration{7'200'000'001}}) {
            const Instant due = clock.when(noon + after);
            CHECK(clock.at(due) >= noon + after);
            CHECK(clock.at(due - 1us) < noon + after);
        }
        CHECK(clock.when(never) == never);
    }
}
