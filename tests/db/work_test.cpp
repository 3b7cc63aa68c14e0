#include <catch2/catch.hpp>

#include "headend/database/aggregates.h"
#include "headend/database/completeness.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const Instant later = midnight + std::chrono::hours{13};

/// Energy 1 Wh in the first quarter, 2 in the second...: sums show what was counted.
std::vector<dcu::IntervalRow> quarters(int first, int last) {
    std::vector<dcu::IntervalRow> rows;
    for (int i = first; i <= last; ++i) {
        rows.push_back(interval(quarter(i), 0));
        rows.back().values[0] = i;
    }
    return rows;
}

}  // namespace

TEST_CASE("aggregates: hours and days are the utility's own, and half past belongs to them", "[db]") {
    // India is UTC+5:30: local midnight is 18:30 UTC, a local hour runs from half past to half past.
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, quarters(1, 96))}));
    Aggregates aggregates{town.monitor};
    CHECK(aggregates.lag().dirty == 2);  // quarter 96 is midnight and so the next UTC day
    CHECK(aggregates.work(10, later) == 2);
    CHECK(aggregates.lag().dirty == 0);
    const auto at = [](const char* time) {
        return "from_us = at_us(timestamptz '" + std::string{time} + "')";
    };
    // 05:30 to 06:30 UTC holds the intervals that end 05:45 to 06:30: quarters 23 to 26
    CHECK(town.value("select v1 from aggregate_hour where readings = 4 and " +
                     at("2026-03-10 11:00+05:30")) == 23 + 24 + 25 + 26);
    // the local day ends at 18:30 UTC with quarter 74
    CHECK(town.value("select v1 from aggregate_day where readings = 74 and " +
                     at("2026-03-10 00:00+05:30")) == 74 * 75 / 2);
    CHECK(town.value("select v1 from aggregate_day where readings = 22 and " +
                     at("2026-03-11 00:00+05:30")) == 96 * 97 / 2 - 74 * 75 / 2);
    CHECK(town.value("select v1 from meter_latest where at_us = " + std::to_string(epoch_us(quarter(96)))) ==
          96);
}

TEST_CASE("aggregates: the days on which the clocks change have 23 and 25 hours", "[db]") {
    // Berlin, 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC. Local midnights in UTC:
    struct Row {
        const char* from;
        const char* to;
        int hours;
    };
    const auto row = GENERATE(values<Row>({{"2026-03-28 23:00Z", "2026-03-29 22:00Z", 23},
                                           {"2026-10-24 22:00Z", "2026-10-25 23:00Z", 25},
                                           {"2026-03-29 22:00Z", "2026-03-30 22:00Z", 24}}));
    DYNAMIC_SECTION(row.from) {
        Town town{1};
        town.admin.execute("update tenant set time_zone = 'Europe/Berlin'", "moving to Berlin");
        const auto us = [&](const char* time) {
            return town.value("select at_us(timestamptz '" + std::string{time} + "')");
        };
        std::vector<dcu::IntervalRow> rows;
        // from an hour before the day to an hour after it
        for (long long at = us(row.from) - 2'700'000'000; at <= us(row.to) + 3'600'000'000;
             at += 900'000'000) {
            rows.push_back(interval(from_epoch_us(at), 0));
            rows.back().values[0] = 1;
        }
        auto batch = town.batch(0, 1, {Town::entry(0, 1, rows)});
        batch.received = rows.back().at;
        town.store(batch);
        Aggregates{town.monitor}.work(10, batch.received + std::chrono::hours{1});
        CHECK(town.value("select v1 from aggregate_day where from_us = " + std::to_string(us(row.from))) ==
              row.hours * 4);
        CHECK(town.value("select count(*) from aggregate_hour where readings = 4 and from_us >= " +
                         std::to_string(us(row.from)) + " and from_us < " + std::to_string(us(row.to))) ==
              row.hours);
        CHECK(town.value("select count(*) from aggregate_day") == 3);
        CHECK(town.value("select sum(v1) from aggregate_day") == row.hours * 4 + 8);
    }
}

TEST_CASE(
    "aggregates: a late row is added, doing it again changes nothing, an older day never wins the last value",
    "[db]") {
    Town town;
    auto rows = quarters(1, 8);
    const auto missing = rows[2];
    rows.erase(rows.begin() + 2);
    town.store(town.batch(0, 1, {Town::entry(0, 1, rows)}));
    Aggregates aggregates{town.monitor};
    aggregates.work(10, later);
    CHECK(town.value("select sum(v1) from aggregate_hour") == 33);
    town.store(town.batch(1, 2, {Town::entry(0, 2, {missing})}));
    CHECK(aggregates.work(10, later) == 1);
    CHECK(town.value("select sum(v1) from aggregate_hour") == 36);
    CHECK(town.value("select sum(v1) from aggregate_day") == 36);
    CHECK(aggregates.work(10, later) == 0);

    town.store(town.batch(2, 3, {Town::entry(0, 3, {interval(quarter(-50), 5)})}));
    CHECK(aggregates.work(10, later) == 1);
    CHECK(town.value("select at_us from meter_latest") == epoch_us(quarter(8)));
    CHECK(town.value("select sum(v1) from aggregate_day") == 36 + 50);
    CHECK(town.value("select v1 from meter_latest") == 8);
}

TEST_CASE("aggregates: a mark that was raised while working stays", "[db]") {
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, quarters(1, 4))}));
    CHECK(Aggregates{town.monitor}.work(10, midnight) == 0);  // too fresh: made at noon
    CHECK(town.value("select mark from dirty_day") == 1);
    town.store(town.batch(1, 2, {Town::entry(1, 2, quarters(1, 4))}));
    CHECK(town.value("select mark from dirty_day") == 2);
    {
        // another worker holds the day
        const Transaction other{town.admin};
        town.value(
            "select (pg_advisory_xact_lock(1464683605, hashtext('1/' || (select day from dirty_day) || '/' "
            "|| " +
            std::to_string(town.id.value) + ")) is null)::int");
        CHECK(Aggregates{town.monitor}.work(10, later) == 0);
    }
    CHECK(Aggregates{town.monitor}.work(10, later) == 1);
}

TEST_CASE("completeness: counts what should be there and names what is missing with its reason", "[db]") {
    Town town;
    auto rows = quarters(1, 8);
    rows.erase(rows.begin() + 2, rows.begin() + 4);  // 3 and 4
    auto batch = town.batch(0, 3, {Town::entry(0, 1, rows), Town::entry(1, 2, quarters(1, 8))});
    const dcu::Entry failed{Sequence{3},
                            customer(0),
                            dcu::EntryKind::read_failed,
                            quarter(9),
                            false,
                            dcu::encode(dcu::ReadFailure{dcu::ReadFault::no_answer, quarter(3), quarter(4)})};
    batch.events.push_back({failed});
    town.store(batch);

    Completeness completeness{town.monitor};
    const auto counts = completeness.of(town.id, obis::load_profile, quarter(0), quarter(8));
    REQUIRE(counts.size() == 3);
    CHECK(counts[0].expected == 8);
    CHECK(counts[0].stored == 6);
    CHECK(counts[1].stored == 8);
    CHECK(counts[2].stored == 0);
    // nothing is expected from before the installation
    CHECK(completeness.of(town.id, obis::load_profile, quarter(-8), quarter(8)).at(0).expected == 8);
    // half periods round down
    CHECK(completeness.of(town.id, obis::load_profile, quarter(0), quarter(8) + std::chrono::minutes{7})
              .at(0)
              .expected == 8);

    const auto missing = completeness.missing(town.id, obis::load_profile, quarter(0), quarter(8), 10);
    REQUIRE(missing.size() == 2);
    CHECK(missing[0].number == customer(0));
    CHECK(missing[0].from == quarter(3));
    CHECK(missing[0].to == quarter(4));
    CHECK(missing[0].reason == MissingReason::no_answer);
    CHECK(missing[1].number == customer(2));
    CHECK(missing[1].from == quarter(1));
    CHECK(missing[1].to == quarter(8));
    CHECK(missing[1].reason == MissingReason::no_route);  // the concentrator is not connected
    CHECK(completeness.missing(town.id, obis::load_profile, quarter(0), quarter(8), 1).size() == 1);
}
