#include "protocol/dlms/date_time.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using dlms::test::octets;
using std::chrono::sys_days;

// Octets: vectors GET-RNG, GETLR-1 and SET-1 of tests/vectors. UTC = local + deviation (Blue Book ed.
// 14, 4.1.6.1).
TEST_CASE("date-time: captured instants and back", "[dlms]") {
    struct Row {
        const char* hex;
        DateTime value;
        const char* again;  ///< hundredths FF (not specified) go out as 0
    };
    const auto row = GENERATE(values<Row>({
        {"07E10A010700000000FFC480",
         {sys_days{2017y / 9 / 30} + 23h, -60, clock_status::daylight_saving},
         "07E10A010700000000FFC480"},
        {"07E50603040E091700FFC400",
         {sys_days{2021y / 6 / 3} + 13h + 9min + 23s, -60, 0},
         "07E50603040E091700FFC400"},
        {"07E50118FF0E303950FFC400",
         {sys_days{2021y / 1 / 24} + 13h + 48min + 57s + 800ms, -60, 0},
         "07E50118070E303950FFC400"},
        {"07E30C1F0217000000FFC400", {sys_days{2019y / 12 / 31} + 22h, -60, 0}, "07E30C1F0217000000FFC400"},
        {"07EA0B0107010000FF800000", {sys_days{2026y / 11 / 1} + 1h, 0, 0}, "07EA0B010701000000000000"},
        {"07E402030 10F1B0CFF8000FF",
         {sys_days{2020y / 2 / 3} + 15h + 27min + 12s, 0, 0},
         "07E40203010F1B0C00000000"},
        {"07EA0B010705000000FEB600",
         {sys_days{2026y / 10 / 31} + 23h + 30min, -330, 0},
         "07EA0B010705000000FEB600"},
    }));
    DYNAMIC_SECTION(row.hex) {
        const auto decoded = decode_date_time(octets(row.hex));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_date_time(row.value)) == row.again);
    }
}

TEST_CASE("date-time: a wildcard or a field out of range fixes no instant", "[dlms]") {
    const auto hex = GENERATE(values<const char*>({
        "FFFF0B160700101000800000",  // any year
        "07EAFF160700101000800000",  // any month
        "07EAFE160700101000800000",  // daylight saving begins
        "07EA0BFE0700101000800000",  // last day of month
        "07EA0B1607FF101000800000",  // any hour
        "07EA0B160700FF1000800000",  // any minute
        "07EA0B16070010FF00800000",  // any second
        "07EA021E0700101000800000",  // 30 February
        "07EA0B160718101000800000",  // hour 24
        "07EA0B1607003C1000800000",  // minute 60
        "07EA0B160700103C00800000",  // second 60
        "07EA0B160700101064800000",  // hundredths 100
        "07EA0B160700101000040000",  // deviation of 17 hours
        "87EA0B160700101000800000",  // year 34794
        "00000B160700101000800000",  // year 0
        "07EA0B1607001010008000",    // eleven octets
        "07EA0B16070010100080000000",
    }));
    DYNAMIC_SECTION(hex) { CHECK_FALSE(decode_date_time(octets(hex))); }
}

TEST_CASE("date-time: comes as octet-string or as date-time and leaves as octet-string", "[dlms]") {
    const DateTime value{sys_days{2026y / 11 / 22} + 16min + 16s, 0, clock_status::doubtful};
    const auto raw = encode_date_time(value);
    CHECK(date_time(octet_string(raw)) == value);
    CHECK(date_time(Data{RawDateTime{raw}}) == value);
    CHECK_FALSE(date_time(Data{Null{}}));
    CHECK(to_hex(encode_data(date_time_octets(value))) == "090C07EA0B160700101000000002");
}

TEST_CASE("date-time: an instant without a civil date goes out as not specified", "[dlms]") {
    CHECK(to_hex(encode_date_time({never, 0, 0})) == "FFFFFFFFFFFFFFFFFFFFFFFF");
    CHECK(to_hex(encode_date_time({Instant::min(), 0, 0})) == "FFFFFFFFFFFFFFFFFFFFFFFF");
    CHECK(to_hex(encode_date_time({sys_days{2026y / 11 / 22} + 9ms, 0, 0})) == "07EA0B160700000000000000");
}

TEST_CASE("date-time: the first and the last civil day that decode go out again", "[dlms]") {
    const auto hex = GENERATE(values<const char*>({
        "000101010100000000010000",  // 1 January of year 1, 256 minutes behind UTC: a fuzzer's find
        "000101010100000000000000",
        "000101010100000000FF4C00",  // 180 minutes ahead: the instant lies in year 0
        "270F0C1F05173B3B63034800",  // 31 December 9999, 840 minutes behind: the instant lies in year 10000
    }));
    DYNAMIC_SECTION(hex) {
        const auto decoded = decode_date_time(octets(hex));
        REQUIRE(decoded);
        CHECK(to_hex(encode_date_time(*decoded)) == to_hex(octets(hex)));
    }
}
