#include "protocol/dlms/profile_select.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/date_time.h"

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
