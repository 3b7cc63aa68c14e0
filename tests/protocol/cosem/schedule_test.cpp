// Schedule (class 10): when entries run. Blue Book (DLMS UA 1000-1) ed. 14, 4.5.3 and 4.5.4.
#include <catch2/catch.hpp>

#include "protocol/cosem/schedule_times.h"

using namespace wattmesh;
using namespace wattmesh::cosem;
using namespace wattmesh::cosem::schedule;
using namespace std::chrono_literals;
using dlms::LocalTime;

namespace {

constexpr dlms::RawDate any_date{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
const LocalTime monday{std::chrono::local_days{std::chrono::year{2026} / 11 / 16}};
constexpr std::uint8_t all_week = 0xFE;

Entry entry(std::uint16_t index, std::uint8_t hour, std::uint8_t weekdays = all_week) {
    Entry made;
    made.index = index;
    made.enable = true;
    made.script_logical_name = ObisCode{{0, 0, 10, 0, 106, 255}};
    made.script_selector = 1;
    made.switch_time = {{hour, 0, 0, 0}};
    made.exec_weekdays = {7, {weekdays}};
    made.exec_specdays = {8, {0}};
    made.begin_date = made.end_date = any_date;
    return made;
}

dlms::RawDate date(std::uint16_t year, std::uint8_t month, std::uint8_t day) {
    return {{static_cast<std::uint8_t>(year >> 8), static_cast<std::uint8_t>(year), month, day, 0xFF}};
}
std::chrono::year_month_day day(int year, unsigned month, unsigned number) {
    return std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(number);
}

}  // namespace

TEST_CASE("schedule: an entry runs on its weekdays, Monday first, while it is enabled", "[cosem]") {
    auto one = entry(1, 6, 0x82);  // Monday and Sunday
    CHECK(runs_on(one, day(2026, 11, 16), {}));
    CHECK_FALSE(runs_on(one, day(2026, 11, 17), {}));
    CHECK_FALSE(runs_on(one, day(2026, 11, 21), {}));
    CHECK(runs_on(one, day(2026, 11, 22), {}));
    one.enable = false;
    CHECK_FALSE(runs_on(one, day(2026, 11, 16), {}));
}

TEST_CASE("schedule: begin and end are included, and without a year come back every year", "[cosem]") {
    auto one = entry(1, 6);
    one.begin_date = date(2026, 11, 17);
    one.end_date = date(2026, 12, 1);
    CHECK_FALSE(runs_on(one, day(2026, 11, 16), {}));
    CHECK(runs_on(one, day(2026, 11, 17), {}));
    CHECK(runs_on(one, day(2026, 12, 1), {}));
    CHECK_FALSE(runs_on(one, day(2026, 12, 2), {}));
    CHECK_FALSE(runs_on(one, day(2027, 11, 20), {}));
    one.begin_date = date(0xFFFF, 10, 1);  // winter
    one.end_date = date(0xFFFF, 3, 0xFE);  // its last day
    CHECK(runs_on(one, day(2026, 12, 31), {}));
    CHECK(runs_on(one, day(2027, 3, 31), {}));
    CHECK_FALSE(runs_on(one, day(2027, 4, 1), {}));
    CHECK_FALSE(runs_on(one, day(2027, 9, 30), {}));
    CHECK(runs_on(one, day(2027, 10, 1), {}));
}

TEST_CASE("schedule: a special day overrides the weekday by its day_id", "[cosem]") {
    const std::vector<special_days::Entry> specials{{1, date(2026, 11, 17), 2}, {2, date(0xFFFF, 12, 25), 9}};
    auto weekday = entry(1, 6), special = entry(2, 6, 0);
    special.exec_specdays = {8, {0x40}};  // day_id 2
    CHECK(runs_on(weekday, day(2026, 11, 16), specials));
    CHECK_FALSE(runs_on(weekday, day(2026, 11, 17), specials));
    CHECK(runs_on(special, day(2026, 11, 17), specials));
    CHECK_FALSE(runs_on(special, day(2026, 11, 16), specials));
    CHECK_FALSE(runs_on(weekday, day(2030, 12, 25), specials));
    CHECK_FALSE(runs_on(special, day(2030, 12, 25), specials));  // day_id 9 is beyond the mask
}

TEST_CASE("schedule: the next time is on the next day that fits, wildcards repeat it, every second never",
          "[cosem]") {
    auto one = entry(1, 6, 0x40);  // Tuesday
    CHECK(next_execution(one, monday, monday + 48h, {}) == monday + 30h);
    CHECK(next_execution(one, monday + 30h, monday + 48h, {}) == monday + 30h);
    CHECK_FALSE(next_execution(one, monday + 30h + 1us, monday + 48h, {}));
    CHECK_FALSE(next_execution(one, monday, monday + 30h, {}));  // `until` is outside
    one.switch_time = {{0xFF, 15, 0, 0}};
    CHECK(next_execution(one, monday + 26h, monday + 48h, {}) == monday + 26h + 15min);
    one.switch_time = {{0xFF, 0xFF, 0xFF, 0xFF}};
    CHECK_FALSE(next_execution(one, monday, monday + 48h, {}));
}

TEST_CASE("schedule: what was missed is made up for within its window, by time and then by index",
          "[cosem]") {
    auto any = entry(7, 6), short_window = entry(2, 6), hourly = entry(5, 0), later = entry(1, 8);
    short_window.validity_window = 60;
    hourly.switch_time = {{0xFF, 0, 0, 0}};
    const std::vector<Entry> all{any, short_window, hourly, later};
    const auto found = missed(all, monday + 5h, monday + 8h + 30min, {});
    REQUIRE(found.size() == 3);  // the window of index 2 is over; the hourly one counts once
    CHECK(found[0].entry.index == 7);
    CHECK(found[0].due == monday + 6h);
    CHECK(found[1].entry.index == 1);
    CHECK(found[2].entry.index == 5);
    CHECK(found[2].due == monday + 8h);
    CHECK(missed(all, monday + 5h, monday + 6h + 30min, {}).size() == 3);
    CHECK(missed({&any, 1}, monday + 7h, monday + 8h, {}).empty());
    CHECK(missed({&any, 1}, monday, monday + 10'000 * 24h, {}).size() == 1);
}

TEST_CASE("schedule: methods enable, disable, replace and delete by index", "[cosem]") {
    std::vector<Entry> all{entry(1, 1), entry(2, 2), entry(3, 3)};
    switch_over(all, {1, 3, 2, 2});  // A off, then B on
    CHECK_FALSE(all[0].enable);
    CHECK(all[1].enable);
    CHECK_FALSE(all[2].enable);
    switch_over(all, {0, 9, 0, 9});
    CHECK(all[1].enable);
    CHECK(put(all, entry(2, 9)));
    CHECK(all.size() == 3);
    CHECK_FALSE(put(all, entry(0, 9)));
    CHECK_FALSE(put(all, entry(10'000, 9)));
    CHECK(take_out(all, {2, 3}));
    CHECK(all.size() == 1);
    CHECK_FALSE(take_out(all, {2, 3}));
}
