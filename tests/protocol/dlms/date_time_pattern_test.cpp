#include "protocol/dlms/date_time_pattern.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using dlms::test::octets;
using std::chrono::local_days;
using std::chrono::sys_days;

namespace {

DateTimePattern pattern(const char* hex) {
    const auto decoded = decode_date_time_pattern(octets(hex));
    REQUIRE(decoded);
    return *decoded;
}

/// Central Europe: last Sunday in March 02:00 to last Sunday in October 03:00.
DaylightSaving europe() {
    return {pattern("FFFF 03 FE 07 02000000 8000 00"), pattern("FFFF 0A FE 07 03000000 8000 80"), 60min};
}

}  // namespace

TEST_CASE("date-time pattern: keeps every wildcard and goes back to the same octets", "[dlms]") {
    CHECK(pattern("FFFF FF FF FF FFFFFFFF 8000 FF") == DateTimePattern{});
    CHECK(pattern("FFFF 03 FE 07 02000000 FFC4 80") ==
          DateTimePattern{{any_year, 3, day_last, 7}, {2, 0, 0, 0}, -60, 0x80});
    for (const char* hex :
         {"FFFFFFFFFFFFFFFFFF8000FF", "FFFF03FE0702000000FFC480", "07EAFEFFFF02FFFFFF800000",
          "07EAFDFD05FF003B630000FF", "270F0C1F07173B3B6303480F", "0001010101000000000000FF"}) {
        CHECK(to_hex(encode_date_time(pattern(hex))) == hex);
    }
    CHECK(decode_date(octets("FFFF0AFE07")) == DatePattern{any_year, 10, day_last, 7});
    CHECK(to_hex(encode_date({2026, 2, day_second_last, any_field})) == "07EA02FDFF");
    CHECK(decode_time(octets("17FFFFFF")) == TimePattern{23, any_field, any_field, any_field});
    CHECK(to_hex(encode_time({23, 59, 0, any_field})) == "173B00FF");
}

TEST_CASE("date-time pattern: refuses another size and a field out of range", "[dlms]") {
    for (const char* hex :
         {"", "FFFFFFFFFFFFFFFFFF8000", "FFFFFFFFFFFFFFFFFF8000FF00", "0000FFFFFFFFFFFFFF8000FF",
          "2710FFFFFFFFFFFFFF8000FF", "FFFF00FFFFFFFFFFFF8000FF", "FFFF0DFFFFFFFFFFFF8000FF",
          "FFFFFCFFFFFFFFFFFF8000FF", "FFFFFF00FFFFFFFFFF8000FF", "FFFFFF20FFFFFFFFFF8000FF",
          "FFFFFFFCFFFFFFFFFF8000FF", "FFFFFFFF00FFFFFFFF8000FF", "FFFFFFFF08FFFFFFFF8000FF",
          "FFFFFFFFFF18FFFFFF8000FF", "FFFFFFFFFFFF3CFFFF8000FF", "FFFFFFFFFFFFFF3CFF8000FF",
          "FFFFFFFFFFFFFFFF648000FF", "FFFFFFFFFFFFFFFFFF0400FF"}) {
        INFO(hex);
        CHECK_FALSE(decode_date_time_pattern(octets(hex)));
    }
    CHECK_FALSE(decode_date(octets("FFFF0AFE")));
    CHECK_FALSE(decode_date(octets("FFFF0DFE07")));
    CHECK_FALSE(decode_time(octets("17FFFFFFFF")));
    CHECK_FALSE(decode_time(octets("18FFFFFF")));
}

TEST_CASE("date-time pattern: comes as octet-string or as the type of its own", "[dlms]") {
    CHECK(date_pattern(octet_string(octets("FFFF0AFE07"))) == DatePattern{any_year, 10, day_last, 7});
    CHECK(date_pattern(RawDate{{0xFF, 0xFF, 10, 0xFE, 7}}) == DatePattern{any_year, 10, day_last, 7});
    CHECK(time_pattern(octet_string(octets("02000000"))) == TimePattern{2, 0, 0, 0});
    CHECK(time_pattern(RawTime{{2, 0, 0, 0}}) == TimePattern{2, 0, 0, 0});
    CHECK(date_time_pattern(RawDateTime{encode_date_time(DateTimePattern{})}) == DateTimePattern{});
    CHECK(date_time_pattern(octet_string(encode_date_time(DateTimePattern{}))) == DateTimePattern{});
    CHECK_FALSE(date_pattern(Null{}));
    CHECK_FALSE(time_pattern(RawDate{}));
    CHECK_FALSE(date_time_pattern(std::uint8_t{1}));
}

// The table of repetitive dates of Blue Book ed. 14, 4.1.6.1, put on days of 2026 by calendar.
TEST_CASE("date-time pattern: a date matches the days that the Blue Book means", "[dlms]") {
    struct Row {
        const char* why;
        DatePattern date;
        std::vector<std::chrono::year_month_day> yes, no;
    };
    const std::vector<Row> table{
        {"any day", {}, {2026y / 11 / 22, 2024y / 2 / 29}, {}},
        {"one day", {2026, 11, 22, 7}, {2026y / 11 / 22}, {2026y / 11 / 29, 2025y / 11 / 22}},
        {"a day with another weekday is none", {2026, 11, 22, 1}, {}, {2026y / 11 / 22, 2026y / 11 / 23}},
        {"last day of every month",
         {any_year, any_field, day_last, any_field},
         {2026y / 11 / 30, 2026y / 2 / 28, 2024y / 2 / 29},
         {2024y / 2 / 28, 2026y / 11 / 29}},
        {"second last day",
         {any_year, any_field, day_second_last, any_field},
         {2026y / 11 / 29, 2024y / 2 / 28},
         {2026y / 11 / 30, 2026y / 11 / 28}},
        {"last Sunday in March",
         {any_year, 3, day_last, 7},
         {2026y / 3 / 29, 2025y / 3 / 30},
         {2026y / 3 / 22, 2026y / 3 / 31, 2026y / 10 / 25}},
        {"second last Sunday in March",
         {any_year, 3, day_second_last, 7},
         {2026y / 3 / 22},
         {2026y / 3 / 29, 2026y / 3 / 15}},
        {"first Sunday in March", {any_year, 3, 1, 7}, {2026y / 3 / 1, 2025y / 3 / 2}, {2026y / 3 / 8}},
        {"fourth Friday in March", {any_year, 3, 22, 5}, {2026y / 3 / 27}, {2026y / 3 / 20, 2026y / 3 / 22}},
        {"Monday on or after 29 March",
         {any_year, 3, 29, 1},
         {2026y / 3 / 30, 2024y / 4 / 1},
         {2026y / 4 / 6}},
        {"every Monday", {any_year, any_field, any_field, 1}, {2026y / 11 / 23}, {2026y / 11 / 22}},
        {"a month of daylight saving without saving",
         {any_year, month_saving_begins, 1, any_field},
         {},
         {2026y / 3 / 1}},
    };
    for (const Row& row : table) {
        INFO(row.why);
        for (const auto day : row.yes) CHECK(matches(row.date, day));
        for (const auto day : row.no) CHECK_FALSE(matches(row.date, day));
    }
}

TEST_CASE("date-time pattern: a season begins with daylight saving", "[dlms]") {
    const auto saving = europe();
    const DatePattern begins{any_year, month_saving_begins, any_field, any_field},
        ends{any_year, month_saving_ends, any_field, any_field},
        first{any_year, month_saving_ends, 1, any_field};
    CHECK(matches(begins, 2026y / 3 / 29, &saving));
    CHECK_FALSE(matches(begins, 2026y / 3 / 28, &saving));
    CHECK(matches(ends, 2026y / 10 / 25, &saving));
    CHECK(matches(first, 2026y / 10 / 1, &saving));
    DaylightSaving itself = saving;
    itself.begin.date.month = month_saving_begins;
    CHECK_FALSE(matches(begins, 2026y / 3 / 29, &itself));
}

TEST_CASE("date-time pattern: the next match is the first one at or after", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        LocalTime from;
        std::optional<LocalTime> next;
    };
    const LocalTime now = local_days{2026y / 11 / 22} + 16min + 16s;  // a Sunday
    const auto day = [](std::chrono::year_month_day date) { return LocalTime{local_days{date}}; };
    const std::vector<Row> table{
        {"every midnight", "FFFFFFFFFF00000000 8000FF", now, day(2026y / 11 / 23)},
        {"the instant itself", "FFFFFFFFFF00101000 8000FF", now, now},
        {"a microsecond too late", "FFFFFFFFFF00101000 8000FF", now + 1us, now + 24h},
        {"every quarter past", "FFFFFFFFFFFF0F0000 8000FF", now, day(2026y / 11 / 22) + 1h + 15min},
        {"every second", "FFFFFFFFFFFFFFFF00 8000FF", now + 1ms, now + 1s},
        {"the last second of the day", "FFFFFFFFFF173B3B00 8000FF",
         day(2026y / 11 / 22) + 23h + 59min + 59s + 1ms, day(2026y / 11 / 23) + 23h + 59min + 59s},
        {"first of the month", "FFFFFF01FF00000000 8000FF", now, day(2026y / 12 / 1)},
        {"last Sunday in March", "FFFF03FE0702000000 8000FF", now, day(2027y / 3 / 28) + 2h},
        {"29 February on a Sunday", "FFFF021DFF00000000 8000FF", now, day(2028y / 2 / 29)},
        {"once, later", "07EC0101FF0A000000 8000FF", now, day(2028y / 1 / 1) + 10h},
        {"once, before", "07E90101FF0A000000 8000FF", now, std::nullopt},
        {"a day that does not exist", "FFFF021EFF00000000 8000FF", now, std::nullopt},
        {"not after the last year", "FFFFFFFFFF00000000 8000FF", LocalTime::max(), std::nullopt},
        {"not before the first year", "FFFFFFFFFF00000000 8000FF", LocalTime::min(), std::nullopt},
    };
    for (const Row& row : table) {
        INFO(row.why);
        CHECK(next_match(pattern(row.hex), row.from) == row.next);
    }
}

TEST_CASE("date-time pattern: the next match matches and nothing before it does", "[dlms]") {
    std::mt19937 random{20'261'122};
    const auto pick = [&](std::vector<int> from) {
        return static_cast<std::uint8_t>(from[random() % from.size()]);
    };
    for (int i = 0; i < 300; ++i) {
        DateTimePattern any;
        any.date.month = pick({0xFF, 0xFF, 2, 11, 12});
        any.date.day = pick({0xFF, 0xFF, 0xFE, 0xFD, 1, 15, 31});
        any.date.weekday = pick({0xFF, 0xFF, 0xFF, 1, 7});
        any.time = {pick({0xFF, 0, 12, 23}), pick({0xFF, 0, 59}), 0, 0};
        const LocalTime from = local_days{2026y / 11 / 20} + std::chrono::minutes{random() % 20'000};
        const auto found = next_match(any, from);
        INFO("seed 20261122, case " << i << ": " << to_hex(encode_date_time(any)));
        if (!found) {
            CHECK(any.date.day == 31);  // in February
            continue;
        }
        REQUIRE(matches(any, *found));
        const LocalTime probed_to = std::min<LocalTime>(*found, from + std::chrono::hours{30});
        LocalTime probe = std::chrono::ceil<std::chrono::minutes>(from);
        for (; probe < probed_to; probe += 1min) REQUIRE_FALSE(matches(any, probe));
    }
}

TEST_CASE("date-time pattern: daylight saving is in force between its two changes", "[dlms]") {
    const auto north = europe();
    CHECK_FALSE(is_saving(north, local_days{2026y / 3 / 29} + 1h + 59min));
    CHECK(is_saving(north, local_days{2026y / 3 / 29} + 2h));
    CHECK(is_saving(north, local_days{2026y / 10 / 25} + 1h + 59min));
    CHECK_FALSE(is_saving(north, local_days{2026y / 10 / 25} + 2h));  // 03:00 of daylight saving
    const DaylightSaving south{north.end, north.begin, 60min};
    CHECK(is_saving(south, local_days{2026y / 1 / 15}));
    CHECK_FALSE(is_saving(south, local_days{2026y / 7 / 15}));
    CHECK(is_saving(south, local_days{2026y / 12 / 15}));
    DaylightSaving never_ends = north;
    never_ends.end.date = {2020, 1, 1, any_field};
    CHECK_FALSE(is_saving(never_ends, local_days{2026y / 7 / 15}));
}

// Blue Book ed. 14, 4.1.6.1: UTC = local time + deviation, which holds daylight saving.
TEST_CASE("date-time pattern: a local time becomes UTC by its deviation or by the meter's model", "[dlms]") {
    const ClockModel zone{.deviation_minutes = -60};  // Central Europe
    ClockModel all_year = zone;
    all_year.standard_time_all_year = true;
    const auto noon = "07EA070F03 0C000000 ";
    const auto at = [&](const std::string& rest, const ClockModel& clock) {
        return to_utc(pattern((noon + rest).c_str()), clock);
    };
    const Instant day = sys_days{2026y / 7 / 15};
    CHECK(at("FF88 80", zone) == day + 10h);  // given, with daylight saving in it
    CHECK(at("FF88 80", all_year) == day + 10h);
    CHECK(at("FFC4 80", zone) == day + 11h);      // given: counts as it stands
    CHECK(at("8000 80", zone) == day + 10h);      // of the zone, in daylight saving
    CHECK(at("8000 00", zone) == day + 11h);      // of the zone, in standard time
    CHECK(at("8000 FF", zone) == day + 11h);      // nothing said: standard time
    CHECK(at("8000 80", all_year) == day + 11h);  // the status bit is not meant
    CHECK(at("8000 80", utc_clock) == day + 12h);
    CHECK_FALSE(to_utc(pattern("07EA070FFF FF000000 8000FF"), zone));
    CHECK_FALSE(to_utc(pattern("FFFF070FFF 0C000000 8000FF"), zone));
    CHECK_FALSE(to_utc(pattern("07EAFE0FFF 0C000000 8000FF"), zone));

    const auto value = decode_date_time(octets("07EA070F03 0C000000 8000 80"), zone);
    REQUIRE(value);
    CHECK(*value == DateTime{day + 10h, -120, clock_status::daylight_saving});
}
