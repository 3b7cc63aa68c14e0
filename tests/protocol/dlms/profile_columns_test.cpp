#include "protocol/dlms/profile_columns.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;
using dlms::test::octets;
using std::chrono::sys_days;

namespace {

constexpr auto clock_column = ColumnKind::clock;
constexpr auto integer = ColumnKind::integer;
constexpr auto real = ColumnKind::real;
constexpr auto skipped = ColumnKind::skipped;

ColumnPlan plan(std::vector<ColumnKind> kinds) {
    return {.kinds = std::move(kinds), .capture_period = 15min};
}

struct Integers {
    std::vector<std::int64_t> values;
    std::vector<Cell> cells;
    friend bool operator==(const Integers&, const Integers&) = default;
};

/// The one integer column of rows `02 01 <cell>`.
Integers decoded_integers(const std::vector<const char*>& cells) {
    Buffer bytes{0x01, static_cast<std::uint8_t>(cells.size())};
    for (const char* cell : cells) {
        const auto row = octets(std::string{"0201"} + cell);
        bytes.insert(bytes.end(), row.begin(), row.end());
    }
    ProfileColumns columns{plan({integer})};
    const auto rows = columns.decode(bytes);
    REQUIRE(rows);
    REQUIRE(*rows == cells.size());
    return {columns.columns()[0].integers, columns.columns()[0].cells};
}

}  // namespace

TEST_CASE("profile columns: a captured buffer with null clocks becomes typed columns", "[dlms]") {
    ProfileColumns columns{{.kinds = {clock_column, integer, integer, integer}, .capture_period = 1h}};
    const auto rows = columns.decode(test::vector("PROF-BUF"));
    REQUIRE(rows);
    REQUIRE(*rows == 4);
    const Column& clock = columns.columns()[0];
    const Instant first = sys_days{2019y / 12 / 31} + 22h;  // 23:00, deviation -60
    CHECK(clock.at == std::vector<Instant>{first, first + 1h, first + 2h, first + 3h});
    CHECK(clock.deviation_minutes == std::vector<std::int16_t>(4, -60));
    CHECK(clock.status == std::vector<std::uint8_t>(4, 0));
    CHECK(clock.cells == std::vector<Cell>{Cell::given, Cell::derived, Cell::derived, Cell::derived});
    CHECK(columns.columns()[1].integers == std::vector<std::int64_t>(4, 6));
    CHECK(columns.columns()[2].integers == std::vector<std::int64_t>(4, 1'517));
    CHECK(columns.columns()[3].integers == std::vector<std::int64_t>(4, 1'620));
    CHECK(columns.columns()[3].cells == std::vector<Cell>(4, Cell::given));
}

TEST_CASE("profile columns: a range answer inside a GET response, offsets from the response's start",
          "[dlms]") {
    const auto apdu = test::vector("GETR-RNG");
    ProfileColumns columns{plan({clock_column, integer})};
    REQUIRE(columns.decode(Bytes{apdu}.subspan(4), 4));
    CHECK(columns.columns()[1].integers == std::vector<std::int64_t>{9'496, 9'497, 9'498});
    CHECK(columns.columns()[0].at[2] == sys_days{2026y / 11 / 1} + 2h);

    const auto short_by_one = columns.decode(Bytes{apdu}.subspan(4, apdu.size() - 5), 4);
    CHECK(short_by_one.error() == Error{Fault::truncated, apdu.size() - 1});
    CHECK(columns.rows() == 0);
    CHECK(columns.columns()[0].at.empty());
}

TEST_CASE("profile columns: a compact array needs no tags", "[dlms]") {
    ProfileColumns columns{plan({integer, integer})};
    REQUIRE(columns.decode(test::vector("CA-1")));
    CHECK(columns.columns()[0].integers == std::vector<std::int64_t>{1, 2});
    CHECK(columns.columns()[1].integers == std::vector<std::int64_t>{5, 6});

    // clock (octet-string, its length in every row), null = as before, float32
    ProfileColumns mixed{plan({clock_column, integer, real})};
    REQUIRE(
        mixed.decode(octets("13 0203 090017 22 0C07EA0B160700000000800000 3FC00000"
                            "                  0C07EA0B16070F000000800000 BFC00000")));
    CHECK(mixed.columns()[0].at[0] == sys_days{2026y / 11 / 22});
    CHECK(mixed.columns()[1].cells == std::vector<Cell>(2, Cell::missing));
    CHECK(mixed.columns()[2].reals == std::vector<double>{1.5, -1.5});

    ProfileColumns bare{plan({integer})};
    REQUIRE(bare.decode(octets("13 12 04 00010002")));
    CHECK(bare.columns()[0].integers == std::vector<std::int64_t>{1, 2});
    REQUIRE(bare.decode(octets("13 00 00")));
    CHECK(bare.rows() == 0);
}

// Tags: Blue Book ed. 14, 4.1.5.
TEST_CASE("profile columns: every integer type widens", "[dlms]") {
    const auto [values, cells] = decoded_integers(
        {"0301", "0300", "0408A5", "040CABC0", "04380102030405060 7", "05FFFFFFFE", "06FFFFFFFE", "0D42",
         "0F80", "108000", "1180", "128000", "148000000000000000", "157FFFFFFFFFFFFFFF", "161B"});
    CHECK(values == std::vector<std::int64_t>{1, 0, 0xA5, 0xABC, 0x01020304050607, -2, 4'294'967'294, 0x42,
                                              -128, -32'768, 128, 32'768, INT64_MIN, INT64_MAX, 27});
    CHECK(cells == std::vector<Cell>(15, Cell::given));
}

TEST_CASE("profile columns: null-data repeats, deltas add up, what has no value says why", "[dlms]") {
    const auto given = Cell::given, derived = Cell::derived, missing = Cell::missing, invalid = Cell::invalid;
    CHECK(decoded_integers({"00", "00"}) == Integers{{0, 0}, {missing, missing}});
    CHECK(decoded_integers({"1105", "00", "00", "1106"}) ==
          Integers{{5, 5, 5, 6}, {given, derived, derived, given}});
    CHECK(decoded_integers({"1105", "FF", "00"}) == Integers{{5, 0, 0}, {given, missing, missing}});
    CHECK(decoded_integers(
              {"0600000064", "1CFF", "1D0100", "1EFFFFFFFF", "1FFF", "20FFFF", "21FFFFFFFF", "00"}) ==
          Integers{{100, 99, 355, 354, 609, 66'144, 4'295'033'439, 4'295'033'439},
                   {given, derived, derived, derived, derived, derived, derived, derived}});
    CHECK(decoded_integers({"1F01", "00", "1F01", "1105", "1F01"}) ==
          Integers{{0, 0, 0, 5, 6}, {invalid, invalid, invalid, given, derived}});
    CHECK(decoded_integers({"158000000000000000", "1F01"}) == Integers{{0, 0}, {invalid, invalid}});
    CHECK(decoded_integers({"147FFFFFFFFFFFFFFF", "1F01", "00"}) ==
          Integers{{INT64_MAX, 0, 0}, {given, invalid, invalid}});
    CHECK(decoded_integers({"148000000000000000", "1CFF"}) == Integers{{INT64_MIN, 0}, {given, invalid}});
    CHECK(decoded_integers({"0440 0102030405060708"}) == Integers{{0}, {invalid}});
}

TEST_CASE("profile columns: clocks in every form", "[dlms]") {
    ProfileColumns columns{{.kinds = {clock_column}, .capture_period = 240h}};
    const auto bytes = octets(
        "010A"
        "0201 090C07EA0B160700000000800000"  // octet-string
        "0201 1907EA0B16070F000000FFC480"    // date-time, one hour before UTC's 15:00
        "0201 00"                            // derived
        "0201 0900"                          // empty
        "0201 00"                            // nothing before
        "0201 FF"                            // dont-care
        "0201 090CFFFFFFFFFFFFFFFFFFFFFFFF"  // not specified
        "0201 00"                            // nothing before
        "0201 090C270F0C1E05173B0000000000"  // the end of time
        "0201 00");
    REQUIRE(columns.decode(bytes));
    const Column& clock = columns.columns()[0];
    const auto given = Cell::given, derived = Cell::derived, missing = Cell::missing, invalid = Cell::invalid;
    CHECK(clock.cells == std::vector<Cell>{given, given, derived, missing, missing, missing, invalid, invalid,
                                           given, invalid});
    CHECK(clock.at[0] == sys_days{2026y / 11 / 22});
    CHECK(clock.at[1] == sys_days{2026y / 11 / 22} + 14h);
    CHECK(clock.at[2] == clock.at[1] + 240h);
    CHECK(clock.deviation_minutes[2] == -60);
    CHECK(clock.status[2] == clock_status::daylight_saving);
    CHECK(clock.at[3] == Instant{});
}

TEST_CASE("profile columns: deviation 0x8000 is what the meter's model says", "[dlms]") {
    auto zone = plan({clock_column});
    zone.clock = {.deviation_minutes = -60};
    ProfileColumns columns{zone};
    REQUIRE(columns.decode(octets("0102 0201090C07EA070F030C000000800080 0201090C07EA0B0F070C000000800000")));
    CHECK(columns.columns()[0].at ==
          std::vector<Instant>{sys_days{2026y / 7 / 15} + 10h, sys_days{2026y / 11 / 15} + 11h});
    CHECK(columns.columns()[0].deviation_minutes == std::vector<std::int16_t>{-120, -60});
}

TEST_CASE("profile columns: skip what nobody asked for, whatever it is", "[dlms]") {
    ProfileColumns columns{plan({skipped, integer})};
    REQUIRE(
        columns.decode(octets("0105"
                              "0202 0202 0101 1105 0A03414243 1101"
                              "0202 13020206110A00000001050000000206 1102"
                              "0202 0409AB80 1103"
                              "0202 18BFF8000000000000 1104"
                              "0202 00 1105")));
    CHECK(columns.columns()[1].integers == std::vector<std::int64_t>{1, 2, 3, 4, 5});
    CHECK(columns.columns()[0].cells.empty());
}

TEST_CASE("profile columns: refuse what is not the rows that were expected and say where", "[dlms]") {
    struct Row {
        const char* why;
        std::vector<ColumnKind> kinds;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"nothing", {integer}, "", {Fault::truncated, 0}},
        {"one value", {integer}, "1105", {Fault::bad_tag, 0}},
        {"a structure", {integer}, "02011105", {Fault::bad_tag, 0}},
        {"rows without structure", {integer}, "01021105", {Fault::bad_tag, 2}},
        {"too few columns", {integer, integer}, "0101 02011105 0000", {Fault::bad_value, 3}},
        {"too many columns", {integer}, "0101 020211051106", {Fault::bad_value, 3}},
        {"text for a number", {integer}, "0102 02011105 02010A0141", {Fault::bad_tag, 8}},
        {"a number for a clock", {clock_column}, "0101 02011105", {Fault::bad_tag, 4}},
        {"a clock without its tag",
         {clock_column},
         "0101 02010C07EA0B160700000000800000",
         {Fault::bad_tag, 4}},
        {"a clock of eleven octets",
         {clock_column},
         "0101 0201090B07EA0B1607000000008000",
         {Fault::bad_value, 5}},
        {"a number for a float", {real}, "0101 02011105", {Fault::bad_tag, 4}},
        {"a tag that does not exist", {skipped}, "0101 02010700", {Fault::bad_tag, 4}},
        {"such a tag inside", {skipped}, "0101 020102011107 07", {Fault::trailing, 8}},
        {"such a tag deep inside", {skipped}, "0101 020101020007", {Fault::bad_tag, 7}},
        {"more rows than octets", {integer}, "0184FFFFFFFF 02011105", {Fault::truncated, 6}},
        {"fewer rows than counted", {integer}, "0103 02011105 02011106", {Fault::truncated, 10}},
        {"more rows than counted", {integer}, "0101 02011105 02011106", {Fault::trailing, 6}},
        {"a type for a row too few", {integer, integer}, "13 0201 11 01 05", {Fault::bad_value, 2}},
        {"a bare type for two columns", {integer, integer}, "13 11 0105", {Fault::bad_tag, 1}},
        {"text for a number in all rows", {integer}, "13 02010A 020141", {Fault::bad_tag, 3}},
        {"a compact array of structures inside", {skipped}, "13 0201020111 0105", {Fault::unsupported, 3}},
        {"a compact array of nothing", {integer}, "13 020100 0100", {Fault::bad_value, 1}},
        {"half a compact row", {integer}, "13 020112 03000100", {Fault::truncated, 8}},
        {"octets behind a compact array", {integer}, "13 11 0105 00", {Fault::trailing, 4}},
    }));
    DYNAMIC_SECTION(row.why) {
        ProfileColumns columns{plan(row.kinds)};
        const auto decoded = columns.decode(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
        CHECK(columns.rows() == 0);
    }
}

TEST_CASE("profile columns: rows and depth are bounded", "[dlms]") {
    auto two = plan({integer});
    two.rows_max = 2;
    two.quirks.more_rows_than_counted = true;
    ProfileColumns columns{two};
    CHECK(columns.decode(octets("0102 02011105 02011106")));
    CHECK(columns.decode(octets("0101 02011105 02011106")));
    CHECK(columns.decode(octets("0103 02011105 02011106 02011107")).error() == Error{Fault::too_long, 0});
    CHECK(columns.decode(octets("0101 02011105 02011106 02011107")).error() == Error{Fault::too_long, 10});
    CHECK(columns.decode(octets("13 11 03 050607")).error() == Error{Fault::too_long, 5});

    Buffer deep{0x01, 0x01, 0x02, 0x01};
    for (int i = 0; i < 17; ++i) deep.insert(deep.end(), {0x01, 0x01});
    deep.push_back(0x00);
    ProfileColumns skips{plan({skipped})};
    CHECK(skips.decode(deep).error().fault == Fault::too_deep);
}

TEST_CASE("profile columns: a quirk takes the rows that were not counted", "[dlms]") {
    auto quirky = plan({integer});
    quirky.quirks.more_rows_than_counted = true;
    ProfileColumns columns{quirky};
    REQUIRE(columns.decode(octets("0101 02011105 0201120006 02011107")));
    CHECK(columns.columns()[0].integers == std::vector<std::int64_t>{5, 6, 7});
    CHECK(columns.decode(octets("0101 02011105 02011205")).error() == Error{Fault::truncated, 10});
}

TEST_CASE("profile columns: a quirk takes clocks without their tag", "[dlms]") {
    auto quirky = plan({clock_column, integer});
    quirky.quirks.tagged_date_time = true;
    ProfileColumns columns{quirky};
    REQUIRE(
        columns.decode(octets("0102 02020C07EA0B1607000000008000001105 02020C07EA0B16070F0000008000001106")));
    CHECK(columns.columns()[0].at[1] == sys_days{2026y / 11 / 22} + 15h);
    CHECK(columns.columns()[1].integers == std::vector<std::int64_t>{5, 6});
}

TEST_CASE("profile columns: go out as the rows that they came from", "[dlms]") {
    ProfileColumns columns{plan({clock_column, integer})};
    const auto bytes =
        octets("0102 0202090C07EA0B010701000000FFC4000500002518 0202090C07EA0B010702000000FFC4000500002519");
    REQUIRE(columns.decode(bytes));
    Buffer out;
    encode_rows(columns.columns(), std::vector<std::uint8_t>{0x09, 0x05}, out);
    CHECK(to_hex(out) == to_hex(bytes));
    encode_rows(columns.columns(), std::vector<std::uint8_t>{0x19, 0x12}, out);
    CHECK(to_hex(out) == "010202021907EA0B010701000000FFC40012251802021907EA0B010702000000FFC400122519");

    REQUIRE(columns.decode(octets("0101 0202FFFF")));
    encode_rows(columns.columns(), std::vector<std::uint8_t>{0x09, 0x05}, out);
    CHECK(to_hex(out) == "01010202FFFF");
    REQUIRE(columns.decode(octets("0100")));
    encode_rows(columns.columns(), std::vector<std::uint8_t>{0x09, 0x05}, out);
    CHECK(to_hex(out) == "0100");
    encode_rows(columns.columns(), std::vector<std::uint8_t>{0x09, 0x05}, out, octets("C401C100"));
    CHECK(to_hex(out) == "C401C1000100");
}
