#include <catch2/catch.hpp>

#include "headend/prepayment/decision.h"

using namespace wattmesh;
using namespace wattmesh::headend::prepayment;
using namespace std::chrono_literals;

namespace {

/// Wednesday 2026-03-11, 10:00 for the utility: used up, both notices old enough, readings fresh.
Situation due() {
    const auto day = std::chrono::sys_days{std::chrono::year{2026} / 3 / 11};
    const Instant now = day + 10h;
    return {.now = now,
            .balance = {-1},
            .first = now - 80h,
            .second = now - 30h,
            .actual_to = now - 20min,
            .hours = {{1, 540, 840}, {2, 540, 840}, {3, 540, 840}, {4, 540, 840}, {5, 540, 840}},
            .day = day,
            .minute = 600};
}

struct Row {
    const char* why;
    void (*change)(Situation&);
    Act act;
    const char* word;
};

}  // namespace

TEST_CASE("prepayment: what is decided, and why supply is not cut", "[prepayment]") {
    const auto row = GENERATE(values<Row>({
        {"used up", [](Situation&) {}, Act::cut, ""},
        {"an account that left", [](Situation& s) { s.enrolled = false; }, Act::none, "left"},
        {"not a coin below the limit", [](Situation& s) { s.balance = {0}; }, Act::none, "credit"},
        {"somebody holds it", [](Situation& s) { s.held = true; }, Act::none, "held"},
        {"a dispute", [](Situation& s) { s.disputed = true; }, Act::none, "disputed"},
        {"no notice", [](Situation& s) { s.first = s.second = std::nullopt; }, Act::first_notice, ""},
        {"one notice", [](Situation& s) { s.second = std::nullopt; }, Act::second_notice, ""},
        {"one young notice",
         [](Situation& s) {
             s.second = std::nullopt;
             s.first = s.now - 23h;
         },
         Act::none, "notices"},
        {"the second notice is young", [](Situation& s) { s.second = s.now - 24h + 1s; }, Act::none,
         "notices"},
        {"never charged", [](Situation& s) { s.actual_to = std::nullopt; }, Act::none, "no_readings"},
        {"readings are late", [](Situation& s) { s.actual_to = s.now - 24h - 1s; }, Act::none, "late"},
        {"just not late", [](Situation& s) { s.actual_to = s.now - 24h; }, Act::cut, ""},
        {"something is estimated", [](Situation& s) { s.doubtful = 1; }, Act::none, "estimated"},
        {"before the hours", [](Situation& s) { s.minute = 539; }, Act::none, "hours"},
        {"after the hours", [](Situation& s) { s.minute = 840; }, Act::none, "hours"},
        {"a holiday", [](Situation& s) { s.holiday = true; }, Act::none, "hours"},
        {"the day before a holiday", [](Situation& s) { s.holiday_tomorrow = true; }, Act::none,
         "day_before"},
        {"a Friday", [](Situation& s) { s.day += std::chrono::days{2}; }, Act::none, "day_before"},
        {"a Sunday", [](Situation& s) { s.day += std::chrono::days{4}; }, Act::none, "hours"},
        {"a job is at work", [](Situation& s) { s.supply = Supply::cutting; }, Act::none, "cutting"},
        {"cut off, and nothing paid", [](Situation& s) { s.supply = Supply::off; }, Act::none, "off"},
        {"cut off, paid at night",
         [](Situation& s) {
             s.supply = Supply::off;
             s.balance = {1};
             s.minute = 3;
         },
         Act::reconnect, ""},
        {"cut off, not quite paid",
         [](Situation& s) {
             s.supply = Supply::off;
             s.balance = {0};
         },
         Act::none, "off"},
        {"cut off, paid, readings late and disputed",
         [](Situation& s) {
             s.supply = Supply::off;
             s.balance = {1};
             s.actual_to = std::nullopt;
             s.disputed = true;
         },
         Act::reconnect, ""},
        {"cut off, and left the mode",
         [](Situation& s) {
             s.supply = Supply::off;
             s.enrolled = false;
         },
         Act::reconnect, ""},
        {"cut off by somebody else, too",
         [](Situation& s) {
             s.supply = Supply::off;
             s.balance = {1'000};
             s.cut_by_others = true;
         },
         Act::none, "cut_off_by_order"},
    }));
    DYNAMIC_SECTION(row.why) {
        auto situation = due();
        row.change(situation);
        const auto decision = decide(situation);
        CHECK(decision.act == row.act);
        CHECK(decision.why == row.word);
        CHECK((row.act == Act::cut) == (!objection(situation) && situation.supply == Supply::on));
    }
}

TEST_CASE("prepayment: no order of sums, notices and times leads to a cut without its two notices",
          "[prepayment]") {
    // Every combination of what stands between a customer and the dark.
    int cuts = 0;
    for (int mask = 0; mask < 1 << 9; ++mask) {
        auto s = due();
        const auto off = [&](int bit) { return (mask >> bit & 1) != 0; };
        if (off(0)) s.balance = {0};
        if (off(1)) s.held = true;
        if (off(2)) s.disputed = true;
        if (off(3)) s.first.reset();
        if (off(4)) s.second.reset();
        if (off(5)) s.actual_to = s.now - 25h;
        if (off(6)) s.doubtful = 3;
        if (off(7)) s.minute = 1'200;
        if (off(8)) s.holiday_tomorrow = true;
        cuts += decide(s).act == Act::cut ? 1 : 0;
        if (decide(s).act == Act::cut) CHECK(mask == 0);
    }
    CHECK(cuts == 1);
}

TEST_CASE("prepayment: notices count no longer when the balance has risen", "[prepayment]") {
    auto s = due();
    s.balance = s.rules.second_notice_below;
    CHECK(decide(s).second_over);
    CHECK_FALSE(decide(s).first_over);
    s.balance = s.rules.first_notice_below;
    CHECK(decide(s).first_over);
    CHECK(decide(s).second_over);
    s = due();
    CHECK_FALSE(decide(s).first_over);
    CHECK_FALSE(decide(s).second_over);
}

TEST_CASE("prepayment: the hours that are open now have an end", "[prepayment]") {
    auto s = due();
    s.now += 20s;
    CHECK(open_until(s) == Instant{s.day + 14h});
    s.minute = 839;
    CHECK(open_until(s) == std::chrono::floor<std::chrono::minutes>(s.now) + 1min);
}
