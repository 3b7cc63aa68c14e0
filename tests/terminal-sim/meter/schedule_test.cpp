// Schedule (class 10), Special days (11) and Arbitrator (68) of a simulated meter: they work its breaker.
// Source: Blue Book (DLMS UA 1000-1) ed. 14, 4.5.3, 4.5.4 and 4.5.12.
#include <catch2/catch.hpp>

#include "protocol/cosem/schedule.h"
#include "protocol/dlms/date_time.h"
#include "tests/terminal-sim/meter/house.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

constexpr ObisCode schedule_name{{0, 0, 12, 0, 0, 255}}, special_days_name{{0, 0, 11, 0, 0, 255}},
    supply_script{{0, 0, 10, 0, 106, 255}}, arbitrator_name{{0, 0, 96, 3, 20, 255}};
constexpr std::uint16_t disconnect = 1, reconnect = 2;
constexpr RawDate any_date{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};

cosem::schedule::Entry entry(std::uint16_t index, std::uint8_t hour, std::uint16_t script,
                             std::uint8_t weekdays = 0xFE) {
    cosem::schedule::Entry made;
    made.index = index;
    made.enable = true;
    made.script_logical_name = supply_script;
    made.script_selector = script;
    made.switch_time = {{hour, 0, 0, 0}};
    made.exec_weekdays = {7, {weekdays}};
    made.exec_specdays = {8, {0}};
    made.begin_date = made.end_date = any_date;
    return made;
}

void write_entries(House& house, const std::vector<cosem::schedule::Entry>& entries, Instant now) {
    REQUIRE(house.write(cosem::schedule::entries.of(schedule_name), cosem::schedule::entries.write(entries),
                        now) == AccessResult::success);
}

void set_clock(House& house, Instant now, Instant shown) {
    REQUIRE(house.write({8, obis::clock, 2}, date_time_octets({.at = shown}), now) == AccessResult::success);
}

}  // namespace

TEST_CASE("schedule: its scripts run at their times on their weekdays, and after a restart the same way",
          "[sim]") {
    House house;
    constexpr std::uint8_t tuesday = 0x40;
    write_entries(house, {entry(1, 10, disconnect, tuesday), entry(2, 11, reconnect)}, monday);
    CHECK(house.closed(monday + 10h));
    CHECK(house.closed(monday + 34h - 1s));
    CHECK_FALSE(house.closed(monday + 34h));
    CHECK_FALSE(house.closed(monday + 35h - 1s));
    CHECK(house.closed(monday + 35h));
    CHECK(house.closed(monday + 6 * 24h));
    House again{nullptr, house.meter->deeds()};
    CHECK(again.closed(monday + 34h - 1s));
    CHECK_FALSE(again.closed(monday + 34h));
    CHECK(again.closed(monday + 35h));
}

TEST_CASE("schedule: entries of one time run by index, a script only once; methods change them", "[sim]") {
    House house;
    write_entries(house, {entry(9, 1, disconnect), entry(3, 1, reconnect)}, monday);
    CHECK_FALSE(house.closed(monday + 1h));  // 9 comes after 3
    REQUIRE(house.call(cosem::schedule::enable_disable(schedule_name, {9, 9, 0, 0}), monday + 2h) ==
            AccessResult::success);
    CHECK(house.closed(monday + 25h));  // only 3 is left
    REQUIRE(house.call(cosem::schedule::insert(schedule_name, entry(4, 5, disconnect)), monday + 26h) ==
            AccessResult::success);
    CHECK_FALSE(house.closed(monday + 29h));
    CHECK(house.call(cosem::schedule::delete_(schedule_name, {5, 8}), monday + 30h) ==
          AccessResult::other_reason);
    House again{nullptr, house.meter->deeds()};
    CHECK(cosem::schedule::entries.read(again.value({10, schedule_name, 2}, monday + 30h))->size() == 3);
    CHECK_FALSE(again.closed(monday + 29h));
}

TEST_CASE("schedule: on a special day its day_id decides instead of the weekday", "[sim]") {
    House house;
    const RawDate tuesday{{0x07, 0xEA, 11, 17, 0xFF}};
    REQUIRE(house.call(cosem::special_days::insert(special_days_name, {1, tuesday, 1}), monday) ==
            AccessResult::success);
    auto usual = entry(1, 10, disconnect), special = entry(2, 12, disconnect, 0);
    special.exec_specdays = {8, {0x80}};
    write_entries(house, {usual, special, entry(3, 11, reconnect)}, monday + 10h);
    CHECK(house.closed(monday + 34h));
    CHECK(house.closed(monday + 36h - 1s));
    CHECK_FALSE(house.closed(monday + 36h));
}

TEST_CASE("schedule: a clock set forward makes up for what it skipped, one set back runs it again", "[sim]") {
    House house;
    auto short_window = entry(1, 10, disconnect), any_time = entry(2, 3, disconnect);
    short_window.validity_window = 30;
    write_entries(house, {short_window}, monday);
    set_clock(house, monday + 9h, monday + 11h);
    CHECK(house.closed(monday + 9h));  // its window is over
    write_entries(house, {any_time}, monday + 9h);
    set_clock(house, monday + 10h, monday + 28h);  // 12:00 -> 04:00 on Tuesday
    CHECK_FALSE(house.closed(monday + 10h));

    REQUIRE(house.call({{70, obis::disconnect_control, 2}, Data{std::int8_t{0}}}, monday + 11h) ==
            AccessResult::success);
    set_clock(house, monday + 11h, monday + 26h);  // 05:00 -> 02:00
    CHECK(house.closed(monday + 12h - 1s));
    CHECK_FALSE(house.closed(monday + 12h));
}

TEST_CASE("arbitrator: the breaker does what weighs most, and a restart knows what was asked", "[sim]") {
    using namespace cosem::arbitrator;
    House house;
    const auto ask = [&](House& of, std::uint8_t actor, std::uint8_t bits, Instant now) {
        return of.call(request_action(arbitrator_name, {actor, {2, {bits}}}), now);
    };
    constexpr std::uint8_t open = 0x80, close = 0x40;
    const Instant now = monday + 1h;
    CHECK(ask(house, 2, open, now) == AccessResult::success);  // prepayment: no credit
    CHECK_FALSE(house.closed(now));
    CHECK(ask(house, 3, close, now) == AccessResult::success);  // the customer weighs less
    CHECK_FALSE(house.closed(now));
    CHECK(*last_outcome.read(house.value({68, arbitrator_name, 6}, now)) == 1);
    CHECK(ask(house, 1, close, now) == AccessResult::success);  // the head-end weighs more
    CHECK(house.closed(now));
    CHECK(*last_outcome.read(house.value({68, arbitrator_name, 6}, now)) == 2);
    CHECK(ask(house, 3, open, now) == AccessResult::success);  // not permitted
    CHECK(house.closed(now));
    CHECK(ask(house, 4, open, now) == AccessResult::other_reason);

    House again{nullptr, house.meter->deeds()};
    CHECK(again.closed(now));
    CHECK(again.value({68, arbitrator_name, 5}, now) == house.value({68, arbitrator_name, 5}, now));
    CHECK(ask(again, 1, 0, now + 1h) == AccessResult::success);  // the head-end asks for nothing any more
    CHECK_FALSE(again.closed(now + 1h));
    CHECK(again.call(reset(arbitrator_name), now + 2h) == AccessResult::success);
    CHECK(*last_outcome.read(again.value({68, arbitrator_name, 6}, now + 2h)) == 0);
    CHECK_FALSE(again.closed(now + 2h));
}
