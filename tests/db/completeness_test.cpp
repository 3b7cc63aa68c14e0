#include <catch2/catch.hpp>

#include "headend/database/aggregates.h"
#include "headend/database/read_completeness.h"
#include "headend/database/scope.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const auto day = std::chrono::time_point_cast<std::chrono::days>(midnight);
constexpr int most = 100;

std::vector<dcu::IntervalRow> quarters(int first, int last) {
    std::vector<dcu::IntervalRow> rows;
    rows.reserve(static_cast<std::size_t>(last - first + 1));
    for (int i = first; i <= last; ++i) rows.push_back(interval(quarter(i), i));
    return rows;
}

/// A batch of one entry for customer(meter), received at `received`.
void store(Town& town, std::uint64_t sequence, int meter, std::vector<dcu::IntervalRow> rows,
           Instant received, std::vector<dcu::Entry> events = {}) {
    auto batch = town.batch(sequence - 1, sequence, {Town::entry(meter, sequence, std::move(rows))});
    for (auto& event : events) batch.events.push_back({std::move(event)});
    batch.received = received;
    town.store(batch);
}

dcu::Entry failed(int meter, dcu::ReadFault fault, int first, int last) {
    return {Sequence{1},
            customer(meter),
            dcu::EntryKind::read_failed,
            quarter(last) + std::chrono::minutes{3},
            false,
            dcu::encode(dcu::ReadFailure{fault, quarter(first), quarter(last)})};
}

CompletenessCell cell(Town& town, UtcDay of = day) {
    const auto board = CompletenessReader{town.monitor}.board(obis::load_profile, of, of);
    REQUIRE(board.size() == 1);
    return board.front();
}

std::int64_t count(const CompletenessCell& cell, MissingReason reason) {
    return cell.missing[static_cast<std::size_t>(reason)];
}

}  // namespace

TEST_CASE(
    "completeness board: what is not due counts on neither side, and a silent concentrator is counted too",
    "[db]") {
    Town town;
    Aggregates aggregates{town.monitor};
    CHECK(cell(town).expected == 0);  // nobody counted yet
    // due at 02:00: eight quarters of three meters. Yesterday, before the installation, nothing was.
    CHECK(aggregates.count_open_days(most, quarter(9)) == 4);
    CHECK(cell(town).expected == 24);
    CHECK(cell(town).received == 0);
    CHECK(cell(town).meters == 3);
    CHECK(cell(town, day - std::chrono::days{1}).expected == 0);
    CHECK(aggregates.count_open_days(most, quarter(9)) == 0);
    CHECK(aggregates.count_open_days(most, quarter(10)) == 1);  // the past days are settled
    CHECK(cell(town).expected == 27);

    store(town, 1, 0, quarters(1, 10), quarter(10));
    CHECK(aggregates.work(most, quarter(10) + std::chrono::seconds{3}) == 1);
    CHECK(cell(town).expected == 27);
    CHECK(cell(town).received == 9);  // the tenth is there and not due
    CHECK(cell(town).meters_complete == 1);
}

TEST_CASE("completeness board: midnight ends the day before, also when it comes last", "[db]") {
    Town town{1};
    store(town, 1, 0, quarters(1, 95), quarter(96));
    Aggregates aggregates{town.monitor};
    const auto next = quarter(96) + std::chrono::minutes{20};
    CHECK(aggregates.work(most, next) == 1);
    CHECK(cell(town).expected == 96);
    CHECK(cell(town).received == 95);
    store(town, 2, 0, quarters(96, 96), next);
    CHECK(aggregates.work(most, next + std::chrono::seconds{5}) == 1);
    CHECK(cell(town).received == 96);
    CHECK(cell(town, day + std::chrono::days{1}).received == 0);
}

TEST_CASE(
    "completeness board: late rows count for the cut-offs they met, and for no first try after a failure",
    "[db]") {
    Town town{1};
    Aggregates aggregates{town.monitor};
    const auto over = quarter(96);
    store(town, 1, 0, quarters(1, 40), over, {failed(0, dcu::ReadFault::no_answer, 41, 60)});
    aggregates.work(most, over + std::chrono::hours{1});
    store(town, 2, 0, quarters(41, 60), over + std::chrono::hours{20});
    aggregates.work(most, over + std::chrono::hours{21});
    store(town, 3, 0, quarters(61, 90), over + std::chrono::hours{71});
    aggregates.work(most, over + std::chrono::hours{71} + std::chrono::minutes{1});
    store(town, 4, 0, quarters(91, 96), over + std::chrono::hours{100});
    aggregates.work(most, over + std::chrono::hours{101});
    const auto found = cell(town);
    CHECK(found.received == 96);
    CHECK(found.first_try == 76);  // all but 41 to 60
    CHECK(found.by_8h == 40);
    CHECK(found.by_24h == 60);
    CHECK(found.by_72h == 90);
    CHECK(found.expected_72h == 96);
    CHECK(found.meters_complete == 1);
    CHECK(found.missing == MissingCounts{});
}

TEST_CASE("completeness board: what was in time is not known of a day that was counted later only", "[db]") {
    Town town{1};
    store(town, 1, 0, quarters(1, 96), quarter(96) + std::chrono::hours{30});
    Aggregates{town.monitor}.work(most, quarter(96) + std::chrono::hours{31});
    const auto found = cell(town);
    CHECK(found.received == 96);
    CHECK(found.expected_8h == 0);
    CHECK(found.expected_24h == 0);
    CHECK(found.by_72h == 96);
    CHECK(found.expected_72h == 96);
}

TEST_CASE("missing readings: each has one of the reasons, and the day's counts name them all", "[db]") {
    Town town{12};
    town.admin.execute("set search_path = wattmesh; update concentrator set link = 1", "connecting it");
    const auto noon = quarter(48);
    std::vector<dcu::Entry> told;
    for (const auto& [meter, fault] :
         std::vector<std::pair<int, dcu::ReadFault>>{{1, dcu::ReadFault::not_joined},
                                                     {2, dcu::ReadFault::no_answer},
                                                     {3, dcu::ReadFault::refused},
                                                     {4, dcu::ReadFault::not_authentic},
                                                     {5, dcu::ReadFault::no_key},
                                                     {6, dcu::ReadFault::malformed},
                                                     {7, dcu::ReadFault::outage}})
        told.push_back(failed(meter, fault, 1, 8));
    told.push_back({Sequence{1}, customer(8), dcu::EntryKind::power_lost, quarter(0), false,
                    dcu::encode(dcu::PowerLoss{true})});
    told.push_back({Sequence{1}, customer(9), dcu::EntryKind::meter_lost, quarter(0), false, {}});
    for (std::size_t i = 0; i < told.size(); ++i) told[i].sequence = Sequence{i + 1};
    auto batch = town.batch(0, 20, {Town::entry(0, 20, quarters(1, 8))});
    for (auto& event : told) batch.events.push_back({std::move(event)});
    // meter 10's clock stands in 2099: refused by the store
    batch.intervals.push_back(Town::entry(10, 19, {interval(quarter(4'000'000), 1)}));
    batch.received = noon;
    town.store(batch);
    town.admin.execute(
        "insert into out_of_service (meter, from_us, tenant, area, why) select id, 0, 1, 1, 'moved out' "
        "from meter where number = 540000000011",
        "taking a meter out of service");
    Aggregates{town.monitor}.count_open_days(most, quarter(9));

    const auto found = cell(town);
    CHECK(found.expected == 96);
    CHECK(found.received == 8);
    CHECK(count(found, MissingReason::no_route) == 16);  // 1 and 9
    CHECK(count(found, MissingReason::no_answer) == 8);
    CHECK(count(found, MissingReason::association_refused) == 8);
    CHECK(count(found, MissingReason::wrong_key) == 16);
    CHECK(count(found, MissingReason::meter_fault) == 8);
    CHECK(count(found, MissingReason::clock) == 8);
    CHECK(count(found, MissingReason::outage) == 16);
    CHECK(count(found, MissingReason::out_of_service) == 8);
    CHECK(count(found, MissingReason::not_read) == 0);

    CompletenessReader reader{town.monitor};
    const auto worst = reader.worst(obis::load_profile, day, day, most);
    REQUIRE(worst.size() == 8);  // without outage and out of service
    CHECK(worst.front().number == customer(1));
    CHECK(worst.front().intervals == 8);
    CHECK(reader.by_area(obis::load_profile, day, day).at(0).received == 8);
    CHECK(reader.by_model(obis::load_profile, day, day).at(0).name == "WM-SIM-3");
    // an offline concentrator explains what nothing else does
    town.admin.execute("update concentrator set link = 0; delete from event; delete from rejected_entry",
                       "disconnecting it");
    Aggregates{town.monitor}.count_open_days(most, quarter(20));
    CHECK(count(cell(town), MissingReason::no_route) == 10 * 19 + 11);
}

TEST_CASE("missing readings: the same meter missed three months", "[db]") {
    Town town{3};
    const auto missed = [&](int meter, const char* date, int intervals) {
        town.admin.execute("set search_path = wattmesh; insert into missing_day select id, 1, date '" +
                               std::string{date} + "' - date '1970-01-01', 2, concentrator, 1, 1, " +
                               std::to_string(intervals) +
                               " from meter where number = " + to_string(customer(meter)),
                           "missing something");
    };
    missed(0, "2025-12-31", 50);  // December, January, March: not three in a row
    missed(0, "2026-01-31", 50);
    missed(0, "2026-03-01", 50);
    missed(1, "2025-12-01", 1);
    missed(1, "2026-01-15", 2);
    missed(1, "2026-02-28", 4);
    missed(2, "2026-02-01", 90);
    const auto found = CompletenessReader{town.monitor}.repeated(obis::load_profile, day, 3, most);
    REQUIRE(found.size() == 1);
    CHECK(found[0].number == customer(1));
    CHECK(found[0].intervals == 7);
    CHECK(found[0].days == 3);
}

TEST_CASE("completeness board: a person sees the meters of the own areas", "[db]") {
    Town town{3};
    town.admin.execute(
        "set search_path = wattmesh; insert into area values (2, 1, 'East'); "
        "update meter set area = 2 where number = 540000000002",
        "moving a meter");
    Aggregates{town.monitor}.count_open_days(most, quarter(9));
    limit(town.console, Scope::of(TenantId{1}, {AreaId{1}}));
    CompletenessReader reader{town.console};
    CHECK(reader.board(obis::load_profile, day, day).at(0).expected == 16);
    CHECK(reader.worst(obis::load_profile, day, day, most).size() == 2);
    CHECK(Completeness{town.console}
              .missing(town.id, obis::load_profile, quarter(0), quarter(8), most)
              .size() == 2);
    limit(town.console, Scope::nothing());
    CHECK(reader.board(obis::load_profile, day, day).empty());
}
