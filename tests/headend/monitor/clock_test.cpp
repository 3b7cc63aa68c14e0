#include "headend/monitor/clock_rules.h"
#include "tests/headend/monitor/drifting_meter.h"

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using namespace fixed;
using What = ClockVerdict::What;

/// A day of a utility at UTC+5:30: midnight at 18:30 UTC.
const Instant noon = sim::monday + 12h;
database::ClockTask task() {
    return {.rule = {.meter_class = "household",
                     .check_every_s = 86'400,
                     .correct_from_s = 60,
                     .correct_to_s = 900,
                     .midnight_s = 900,
                     .edge_s = 60},
            .period = 15min,
            .midnights = {sim::monday - 5h - 30min, sim::monday + 18h + 30min, sim::monday + 42h + 30min}};
}
database::ClockReading off(Duration offset) { return {.at = noon, .offset = offset, .uncertainty = 1s}; }

struct World {
    World(Duration offset, std::int32_t drift_ppm)
        : meter_(sim::monday, offset, drift_ppm),
          on_demand(
              {}, keys, road.carry(), [this] { return now; }, ciphers, random),
          desk(keys, on_demand, road.carry(), [this] { return now; }, ciphers, random) {}
    std::optional<database::ClockReading> measure() {
        std::optional<std::optional<database::ClockReading>> told;
        desk.measure(meter, [&](const std::string& why, const auto& reading) {
            REQUIRE_FALSE(told);
            fault = why;
            told = reading;
        });
        road.turn(meter_, keys, now);
        REQUIRE(told);
        return *told;
    }
    bool shift(int seconds) {
        std::optional<bool> told;
        desk.shift(
            meter, seconds, "ada",
            [&](const database::ClockReading& now_shown) {
                last = now_shown;
                return still;
            },
            [&](const ClockDesk::Shifted& shifted) {
                fault = shifted.fault;
                after = shifted.after;
                told = shifted.sent;
            });
        road.turn(meter_, keys, now);
        REQUIRE(told);
        CHECK(on_demand.open() == 0);
        return *told;
    }
    Instant now = noon;
    std::string fault;
    bool still = true;
    std::optional<database::ClockReading> last, after;  ///< before and after the shift, in its association
    SlowRoad road;
    FixedKeys keys;
    DriftingMeter meter_;
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    OnDemand on_demand;
    ClockDesk desk;
};

}  // namespace

TEST_CASE("clock rules: a jump stays away from midnights and from the ends of intervals", "[monitor]") {
    struct Row {
        const char* why;
        Instant at;
        Duration offset;
        bool may;
    };
    const auto row = GENERATE(values<Row>(
        {{"in the middle", noon + 5min, -2min, true},
         {"the true time is near the end", noon + 14min + 30s, -2min, false},
         {"the shown time is near the end", noon + 2min + 30s, -2min, false},
         {"the end lies between", noon + 16min, -4min, false},
         {"a fast one, in the middle", noon + 5min, 2min, true},
         {"a fast one that shows the next interval", noon + 14min, 2min, false},
         {"exactly as far as it must be", noon + 3min + 1us, -2min, true},
         {"too long for one interval, its ends away from borders", noon + 7min, -14min, true},
         {"too long, one end near a border", noon + 14min + 30s, -14min, false},
         {"a quarter of an hour before the utility's midnight", sim::monday + 18h + 20min, -2min, false},
         {"and after it", sim::monday + 18h + 40min, -2min, false},
         {"half an hour after it", sim::monday + 19h + 5min, -2min, true},
         {"a quarter of an hour before the meter's own midnight", sim::monday + 23h + 50min, -2min, false},
         {"and after it", sim::monday + 24h + 10min, -2min, false}}));
    CAPTURE(row.why);
    CHECK(may_set(task(), off(row.offset), row.at) == row.may);
}

TEST_CASE("clock rules: whatever the offset and the time, a jump that is allowed touches no border",
          "[monitor]") {
    const auto rules = task();
    int allowed = 0;
    for (int off_s = -900; off_s <= 900; off_s += 7) {
        if (std::abs(off_s) < rules.rule.correct_from_s) continue;
        for (Instant now = sim::monday; now < sim::monday + 24h; now += 397s) {
            auto reading = off(std::chrono::seconds{off_s});
            auto verdict = judge(rules, reading, now);
            if (verdict.what == What::wait) {
                const bool soon = verdict.at > now && verdict.at < now + 2h &&
                                  judge(rules, reading, verdict.at).what == What::set;
                if (!soon) FAIL(off_s << " s at " << (now - sim::monday) / 1s << " s waits in vain");
                continue;
            }
            REQUIRE(verdict.what == What::set);
            ++allowed;
            const Instant low = std::min(now, now + reading.offset),
                          high = std::max(now, now + reading.offset);
            bool clear = true;
            for (const Instant midnight : rules.midnights)
                clear = clear && (midnight < low - 15min || midnight > high + 15min);
            for (const Instant end : {low, high}) {
                const auto into = (end - sim::monday + 24h) % 15min;
                clear = clear && into > 60s && into < 14min;
            }
            if (high - low + 3min <= 15min)
                clear = clear && (low - sim::monday + 24h) / 15min == (high - sim::monday + 24h) / 15min;
            if (!clear) FAIL(off_s << " s at " << (now - sim::monday) / 1s << " s touches a border");
        }
    }
    CHECK(allowed > 10'000);
}

TEST_CASE("clock rules: however wide the edges, every offset finds its moment", "[monitor]") {
    auto rules = task();
    rules.rule.edge_s = 300;
    for (int off_s = 60; off_s <= 900; off_s += 7) {
        const auto reading = off(std::chrono::seconds{off_s});
        const auto verdict = judge(rules, reading, noon);
        CAPTURE(off_s);
        CHECK((verdict.what == What::set || verdict.at < noon + 2h));
    }
}

TEST_CASE("clock rules: little is right, much needs somebody, and a slow answer says nothing", "[monitor]") {
    const Instant now = noon + 5min;
    CHECK(judge(task(), off(59s), now).what == What::right);
    CHECK(judge(task(), off(-60s), now).what == What::set);
    CHECK(judge(task(), off(900s), noon + 7min).what != What::too_far);
    CHECK(judge(task(), off(901s), now).what == What::too_far);
    auto slow = off(70s);
    slow.uncertainty = 31s;
    CHECK(judge(task(), slow, now).what == What::imprecise);
    CHECK(shift_s(-200'400ms) == 200);
    CHECK(shift_s(200'600ms) == -201);
}

TEST_CASE("clock desk: a drifting meter is measured as well as the road lets, set, and drifts on",
          "[monitor]") {
    World world{-200s, 300};
    const auto before = world.measure();
    REQUIRE(before);
    const auto truth = world.meter_.offset(world.now);
    CHECK(truth > -200s + 10s);  // half a day with 300 ppm
    CHECK(std::chrono::abs(before->offset - truth) <= before->uncertainty + 10ms);
    CHECK(before->uncertainty == world.road.leg);  // without the association's exchanges
    CHECK(world.shift(shift_s(before->offset)));
    CHECK(world.fault.empty());
    CHECK(std::chrono::abs(world.meter_.offset(world.now)) < 2s);
    const auto after = world.measure();
    REQUIRE(after);
    CHECK(std::chrono::abs(after->offset) < 2s);
    world.now += 24h;
    const auto later = world.measure();
    REQUIRE(later);
    CHECK(later->offset - after->offset > 25s);
    CHECK(later->offset - after->offset < 27s);
}

TEST_CASE("clock desk: what did not reach the meter was not sent, what it did not answer may have",
          "[monitor]") {
    World world{-200s, 0};
    SECTION("nobody is there") {
        world.road.status = frontend::RelayStatus::unreachable;
        CHECK_FALSE(world.measure());
        CHECK(world.fault == "unreachable");
        CHECK_FALSE(world.shift(200));
        CHECK(world.fault == "unreachable");
        CHECK(world.meter_.offset(world.now) == -200s);
    }
    SECTION("the answer is lost") {
        world.road.lose_deed = true;
        CHECK(world.shift(200));
        CHECK(world.fault == "no_answer");
        CHECK_FALSE(world.after);
        CHECK(world.meter_.offset(world.now) == 0s);
    }
    SECTION("all is told, and what was found beforehand decides") {
        CHECK(world.shift(200));
        REQUIRE(world.last);
        CHECK(std::chrono::abs(world.last->offset + 200s) <= world.last->uncertainty);
        REQUIRE(world.after);
        CHECK(std::chrono::abs(world.after->offset) <= world.after->uncertainty);
        world.still = false;
        CHECK_FALSE(world.shift(200));
        CHECK(world.fault == ClockDesk::held_back);
        CHECK(world.meter_.offset(world.now) == 0s);
    }
    SECTION("more than the method takes is refused") {
        CHECK(world.shift(901));
        CHECK(world.fault == "refused");
        CHECK(world.meter_.offset(world.now) == -200s);
    }
}

}  // namespace wattmesh::headend::monitor
