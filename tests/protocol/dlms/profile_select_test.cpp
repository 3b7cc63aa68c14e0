#include "protocol/dlms/profile_select.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/selection.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

constexpr Instant start = std::chrono::sys_days{2026y / 11 / 22};
const std::vector<CaptureObject> columns{
    {8, obis::clock, 2, 0}, {1, obis::profile_status, 2, 0}, {3, obis::active_import_total, 2, 0}};

Data clock_at(int quarter, std::int16_t deviation = 0) {
    return date_time_octets({start + quarter * 15min, deviation, 0});
}
Data row(int quarter) {
    return structure({clock_at(quarter), std::uint8_t{0}, static_cast<std::uint32_t>(100 * quarter)});
}
std::vector<Data> rows() { return {row(1), row(2), row(3), row(4)}; }

RangeSelection between(Data from, Data to) { return {columns[0], std::move(from), std::move(to), {}}; }

}  // namespace

TEST_CASE("profile: without selection the buffer comes whole", "[dlms]") {
    CHECK(select_rows(rows(), columns, {}) == ReadOutcome{array(rows())});
}

TEST_CASE("profile: a range takes rows between two instants, both ends included", "[dlms]") {
    struct Row {
        const char* why;
        RangeSelection selection;
        std::vector<Data> rows;
    };
    const auto test = GENERATE(values<Row>({
        {"the middle", between(clock_at(2), clock_at(3)), {row(2), row(3)}},
        {"one row", between(clock_at(4), clock_at(4)), {row(4)}},
        {"the same instants in another zone", between(clock_at(2, -60), clock_at(3, 330)), {row(2), row(3)}},
        {"date-time instead of octet-string",
         between(RawDateTime{encode_date_time({start + 30min, 0, 0})}, clock_at(9)),
         {row(2), row(3), row(4)}},
        {"open at the front", between(Null{}, clock_at(2)), {row(1), row(2)}},
        {"open at the end", between(clock_at(3), Null{}), {row(3), row(4)}},
        {"nothing there", between(clock_at(5), clock_at(9)), {}},
        {"from after to", between(clock_at(3), clock_at(2)), {}},
        {"by a register", {columns[2], std::uint16_t{200}, std::uint64_t{300}, {}}, {row(2), row(3)}},
    }));
    DYNAMIC_SECTION(test.why) {
        CHECK(select_rows(rows(), columns, test.selection) == ReadOutcome{array(test.rows)});
    }
}

TEST_CASE("profile: a range answers with the columns that were asked, in that order", "[dlms]") {
    auto selection = between(clock_at(1), clock_at(1));
    selection.columns = {columns[2], columns[0]};
    CHECK(select_rows(rows(), columns, selection) ==
          ReadOutcome{array({structure({std::uint32_t{100}, clock_at(1)})})});
}

TEST_CASE("profile: entries count from 1, to 0 means to the end", "[dlms]") {
    struct Row {
        const char* why;
        EntrySelection selection;
        std::vector<Data> rows;
    };
    const auto test = GENERATE(values<Row>({
        {"two entries", {2, 3, 1, 0}, {row(2), row(3)}},
        {"to the end", {3, 0, 1, 0}, {row(3), row(4)}},
        {"beyond the end", {4, 99, 1, 0}, {row(4)}},
        {"entry 0 is taken as 1", {0, 1, 0, 0}, {row(1)}},
        {"one column", {4, 4, 3, 3}, {structure({std::uint32_t{400}})}},
    }));
    DYNAMIC_SECTION(test.why) {
        CHECK(select_rows(rows(), columns, test.selection) == ReadOutcome{array(test.rows)});
    }
}

TEST_CASE("profile: says why it refuses a selection", "[dlms]") {
    struct Row {
        const char* why;
        Selection selection;
        AccessResult result;
    };
    const CaptureObject foreign{3, obis::active_export_total, 2, 0};
    auto foreign_column = between(clock_at(1), clock_at(2));
    foreign_column.columns = {foreign};
    auto repeated = between(clock_at(1), clock_at(2));
    repeated.columns.assign(1'000, columns[0]);
    const std::vector<Row> table{
        {"restricted by a column it has not", RangeSelection{foreign, std::uint8_t{1}, std::uint8_t{2}, {}},
         AccessResult::scope_of_access_violated},
        {"a chosen column it has not", foreign_column, AccessResult::scope_of_access_violated},
        {"one column a thousand times", repeated, AccessResult::scope_of_access_violated},
        {"a text as bound", between(VisibleString{"now"}, clock_at(2)), AccessResult::type_unmatched},
        {"an instant with wildcards", between(octet_string(Buffer(12, 0xFF)), clock_at(2)),
         AccessResult::type_unmatched},
        {"a number and an instant", between(std::uint8_t{1}, clock_at(2)), AccessResult::type_unmatched},
        {"columns backwards", EntrySelection{1, 0, 3, 2}, AccessResult::scope_of_access_violated},
        {"a column too many", EntrySelection{1, 0, 1, 4}, AccessResult::scope_of_access_violated},
    };
    for (const Row& test : table) {
        INFO(test.why);
        CHECK(select_rows(rows(), columns, test.selection) == ReadOutcome{test.result});
    }
}

TEST_CASE("profile: a row that cannot be compared is not in the range", "[dlms]") {
    const auto all = between(clock_at(0), clock_at(99));
    const std::vector<Data> odd{structure({Null{}, std::uint8_t{0}, std::uint32_t{1}}), structure({}), Null{},
                                row(1)};
    CHECK(select_rows(odd, columns, all) == ReadOutcome{array({row(1)})});
}

TEST_CASE("profile: bounds without deviation are the meter's local time", "[dlms]") {
    const ClockModel zone{.deviation_minutes = -60};
    const auto local = [](int quarter) {
        auto octets = encode_date_time({start + 60min + quarter * 15min, 0, 0});
        octets[9] = 0x80;
        octets[10] = 0x00;
        return octets;
    };
    for (const bool tagged : {false, true}) {
        const auto bound = [&](int quarter) {
            return tagged ? Data{RawDateTime{local(quarter)}} : octet_string(local(quarter));
        };
        CHECK(select_rows(rows(), columns, between(bound(2), bound(3)), {}, zone) ==
              ReadOutcome{array({row(2), row(3)})});
        CHECK(select_rows(rows(), columns, between(bound(2), bound(3))) == ReadOutcome{array({})});
    }
}

TEST_CASE("profile: columns named with attribute 255 or 0 match with the quirk only", "[dlms]") {
    const Quirks quirks{.capture_attribute_255 = true};
    for (const int attribute : {-1, 0}) {
        auto selection = between(clock_at(2), clock_at(2));
        selection.restricting.attribute = static_cast<std::int8_t>(attribute);
        selection.columns = {columns[2]};
        selection.columns[0].attribute = static_cast<std::int8_t>(attribute);
        CHECK(select_rows(rows(), columns, selection) == ReadOutcome{AccessResult::scope_of_access_violated});
        const ReadOutcome chosen{array({structure({std::uint32_t{200}})})};
        CHECK(select_rows(rows(), columns, selection, quirks) == chosen);

        auto listed = columns;  // the meter lists them so, the selection names the value
        for (auto& column : listed) column.attribute = static_cast<std::int8_t>(attribute);
        selection = between(clock_at(2), clock_at(2));
        selection.columns = {columns[2]};
        CHECK(select_rows(rows(), listed, selection) == ReadOutcome{AccessResult::scope_of_access_violated});
        CHECK(select_rows(rows(), listed, selection, quirks) == chosen);
    }
    CHECK_FALSE(names({3, obis::active_import_total, 3, 0}, columns[2], quirks));
    CHECK_FALSE(names({3, obis::active_import_total, -1, 1}, columns[2], quirks));
    CHECK_FALSE(names({4, obis::active_import_total, -1, 0}, columns[2], quirks));

    const Data as_unsigned =
        structure({std::uint16_t{8}, octet_string(obis::clock), std::uint8_t{255}, std::uint16_t{0}});
    CHECK_FALSE(capture_object(as_unsigned));
    CHECK(capture_object(as_unsigned, quirks) == CaptureObject{8, obis::clock, -1, 0});
}

TEST_CASE("profile: a clock that is not the first column restricts with the quirk", "[dlms]") {
    const Quirks quirks{.sort_column_not_first = true};
    const std::vector<CaptureObject> turned{columns[1], columns[0], columns[2]};
    CHECK(sort_column(turned) == 0);
    CHECK(sort_column(turned, quirks) == 1);
    CHECK(sort_column(columns, quirks) == 0);
    CHECK(sort_column(std::vector<CaptureObject>{columns[2]}, quirks) == 0);
    CHECK_FALSE(sort_column({}, quirks));

    const CaptureObject other_clock{8, ObisCode{{0, 1, 1, 0, 0, 255}}, 2, 0};
    auto selection = between(clock_at(1), clock_at(2));
    selection.restricting = other_clock;
    std::vector<Data> turned_rows;
    for (int i = 1; i < 4; ++i)
        turned_rows.push_back(structure({std::uint8_t{0}, clock_at(i), std::uint32_t{7}}));
    CHECK(select_rows(turned_rows, turned, selection) == ReadOutcome{AccessResult::scope_of_access_violated});
    CHECK(select_rows(turned_rows, turned, selection, quirks) ==
          ReadOutcome{array({turned_rows[0], turned_rows[1]})});
    CHECK(select_rows({}, std::vector<CaptureObject>{columns[1]}, selection, quirks) ==
          ReadOutcome{AccessResult::scope_of_access_violated});
}

// The octets of a request by range: vector GET-RNG (its selection behind the attribute).
TEST_CASE("profile: a client asks for the rows between two instants", "[dlms]") {
    const DateTime from{std::chrono::sys_days{2017y / 9 / 30} + 23h, -60, 0x80},
        to{std::chrono::sys_days{2017y / 10 / 1}, -60, 0x80};
    const auto octets_of = [](const std::optional<RangeSelection>& range) {
        REQUIRE(range);
        Writer out;
        encode_selection(out, *range);
        return to_hex(out.view());
    };
    CHECK(octets_of(range_between(columns, from, to)) ==
          "01010204020412000809060000010000FF0F02120000090C07E10A010700000000FFC480090C07E10A010701000000FFC4"
          "800100");
    CHECK(octets_of(range_between(columns, from, to, InstantForm::date_time)) ==
          "01010204020412000809060000010000FF0F021200001907E10A010700000000FFC4801907E10A010701000000FFC48001"
          "00");
    const std::size_t chosen[] = {2, 0};
    const auto range = range_between(columns, from, to, InstantForm::octet_string, {}, chosen);
    REQUIRE(range);
    CHECK(range->columns == std::vector<CaptureObject>{columns[2], columns[0]});
    CHECK_FALSE(range_between({}, from, to));
    const std::vector<CaptureObject> turned{columns[1], columns[0]};
    CHECK_FALSE(range_between(turned, from, to));
    CHECK(range_between(turned, from, to, InstantForm::octet_string, {.sort_column_not_first = true})
              ->restricting == columns[0]);
}
