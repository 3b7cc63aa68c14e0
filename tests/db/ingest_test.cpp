#include <catch2/catch.hpp>

#include "headend/database/cursors.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

TEST_CASE("ingest: stores new rows, the cursor and the source of every row", "[db]") {
    Town town;
    const auto done =
        town.store(town.batch(0, 2,
                              {Town::entry(1, 2, {interval(quarter(2), 7), interval(quarter(1), 5)}),
                               Town::entry(0, 1, {interval(quarter(1), 3)})}));
    CHECK(done.outcome == StoreOutcome::stored);
    CHECK(done.rows_new == 3);
    CHECK_FALSE(done.merged);
    CHECK(town.value("select count(*) from interval_row") == 3);
    CHECK(town.value("select v3 from interval_row r join meter m on m.id = r.meter where m.number = "
                     "540000000001 and at_us = " +
                     std::to_string(epoch_us(quarter(2)))) == 72);
    CHECK(town.value("select count(*) from interval_row r join journal_cursor c on c.id = r.journal where "
                     "r.sequence = 2") == 2);
    CHECK(Cursors{town.frontend}.find(town.id, journal(1)) == Sequence{2});
    CHECK(Cursors{town.frontend}.of(town.id).at(0).entries_stored == 2);
    // the view shows plain readings: channel 1 of the load profile is A+ in Wh
    CHECK(town.value(
              "select value from interval_reading where meter = 540000000000 and register = '1-0:1.8.0*255' "
              "and unit = 30 and time = '2026-03-10 00:15+00'") == 30);
}

TEST_CASE("ingest: rows that overlap are stored once, by mark in memory or without it", "[db]") {
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1), interval(quarter(2), 2)})}));
    const auto again =
        town.batch(1, 2, {Town::entry(0, 2, {interval(quarter(2), 2), interval(quarter(3), 3)})});
    IngestWriter restarted;  // remembers nothing: its COPY runs into the key and merges
    auto& writer = GENERATE(false, true) ? restarted : town.writer;
    const auto done = writer.store(town.frontend, again);
    CHECK(done.outcome == StoreOutcome::stored);
    CHECK(done.merged);
    CHECK(done.rows_new == 1);
    CHECK(done.rows_duplicate == 1);
    CHECK(done.values_conflicting == 0);
    CHECK(done.entries_replayed == 0);
    CHECK(town.value("select count(*) from interval_row") == 3);
}

TEST_CASE("ingest: an entry delivered again under a new journal counts as replayed", "[db]") {
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1), interval(quarter(2), 2)})}));
    auto replay = town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1), interval(quarter(2), 2)})});
    replay.journal = journal(2);
    const auto done = town.store(replay);
    CHECK(done.entries_replayed == 1);
    CHECK(done.rows_duplicate == 2);
    CHECK(town.value("select count(*) from interval_row") == 2);
    CHECK(town.value("select sum(entries_replayed) from journal_cursor") == 1);
}

TEST_CASE("ingest: another value is a conflict that names both sources; the stored one stays", "[db]") {
    Town town;
    town.store(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1)})}));
    const auto done = town.store(town.batch(1, 2, {Town::entry(0, 2, {interval(quarter(1), 9)})}));
    CHECK(done.outcome == StoreOutcome::stored);
    CHECK(done.values_conflicting == 4);
    CHECK(town.value("select v1 from interval_row") == 10);
    CHECK(town.value("select count(*) from reading_conflict where stored_sequence = 1 and sequence = 2 and "
                     "journal = stored_journal and stored_value = 10 and value = 90 and channel = 1") == 1);
}

TEST_CASE("ingest: a null channel is filled later, and its quality says so", "[db]") {
    Town town;
    auto half = interval(quarter(1), 1);
    half.values[1].reset();
    town.store(town.batch(0, 1, {Town::entry(0, 1, {half})}));
    CHECK(town.value("select count(*) from interval_row where v2 is null") == 1);
    const auto done = town.store(town.batch(1, 2, {Town::entry(0, 2, {interval(quarter(1), 1)})}));
    CHECK(done.rows_filled == 1);
    CHECK(done.rows_duplicate == 0);
    CHECK(done.values_conflicting == 0);
    CHECK(town.value("select v2 from interval_row") == 11);
    CHECK(town.value("select quality >> 8 & 255 from interval_row") == 4);
    CHECK(town.value("select quality & 255 from interval_row") == 0);
    // nulls never take a value away
    town.store(town.batch(2, 3, {Town::entry(0, 3, {half})}));
    CHECK(town.value("select v2 from interval_row") == 11);
}

TEST_CASE("ingest: the same key several times in one batch", "[db]") {
    Town town;
    auto half = interval(quarter(1), 1);
    half.values[2].reset();
    const auto done = town.store(town.batch(
        0, 4,
        {Town::entry(0, 1, {half}), Town::entry(0, 2, {interval(quarter(1), 1)}),
         Town::entry(0, 3, {interval(quarter(1), 1)}), Town::entry(0, 4, {interval(quarter(1), 8)})}));
    CHECK(done.outcome == StoreOutcome::stored);
    CHECK(done.rows_new == 1);
    CHECK(done.rows_filled == 1);
    CHECK(done.values_conflicting == 4);
    CHECK(town.value("select count(*) from interval_row where v1 = 10 and v3 = 12") == 1);
}

TEST_CASE("ingest: what cannot be stored is kept raw with its reason and blocks nothing", "[db]") {
    Town town;
    auto too_big = interval(quarter(3), 1);
    too_big.values[0] = 1'000'000'000'000'000'000;
    auto too_wide = interval(quarter(4), 1);
    too_wide.channels = 5;
    const Instant far{std::chrono::sys_days{std::chrono::year{2099} / 1 / 1}};
    auto batch =
        town.batch(0, 5,
                   {Town::entry(0, 1, {interval(quarter(1), 1), interval(far, 2)}),
                    Town::entry(0, 2, {interval(midnight - std::chrono::hours{24 * 500}, 1)}),
                    Town::entry(0, 3, {too_big, too_wide}), Town::entry(77, 4, {interval(quarter(1), 1)})});
    batch.intervals.push_back({customer(1), obis::event_log, {interval(quarter(1), 1)}, Sequence{4}, false});
    batch.rejected.push_back({Sequence{5}, customer(0), {0xDE, 0xAD}, "zero octet\0 and \xFF umlaut"});
    const auto done = town.store(batch);
    CHECK(done.outcome == StoreOutcome::stored);
    CHECK(done.rows_new == 1);
    CHECK(done.rejected == 7);
    CHECK(town.value("select count(*) from rejected_entry") == 7);
    CHECK(town.value("select count(*) from rejected_entry where reason like '%more than a day ahead%' and "
                     "length(raw) > 20") == 1);
    CHECK(town.value("select count(*) from rejected_entry where meter_number = 540000000077 and reason like "
                     "'%not registered%'") == 1);
    CHECK(town.value("select count(*) from rejected_entry where raw = '\\xDEAD'") == 1);
    CHECK(Cursors{town.frontend}.find(town.id, journal(1)) == Sequence{5});
}

TEST_CASE("ingest: rows of other days get their partitions, and midnight belongs to the new day", "[db]") {
    Town town;
    std::vector<dcu::IntervalRow> rows;
    for (const int day : {-399, -30, -1, 0, 1})
        rows.push_back(interval(midnight + std::chrono::hours{24 * day}, day + 400));
    CHECK(town.store(town.batch(0, 1, {Town::entry(0, 1, rows)})).rows_new == 5);
    CHECK(town.value(
              "select count(*) from pg_inherits where inhparent = 'wattmesh.interval_row'::regclass") == 5);
    CHECK(town.value("select count(*) from interval_row_20260310") == 1);
    // a second writer that has not seen the days yet
    IngestWriter other;
    CHECK(other.store(town.frontend, town.batch(1, 2, {Town::entry(1, 2, rows)})).rows_new == 5);
}

TEST_CASE("ingest: events keep their details, a malformed one is rejected", "[db]") {
    Town town;
    const auto entry = [](std::uint64_t sequence, const DeviceNumber& meter, dcu::EntryKind kind,
                          Buffer payload) {
        return dcu::Entry{Sequence{sequence}, meter, kind, quarter(2), sequence == 4, std::move(payload)};
    };
    const auto joined =
        entry(1, customer(0), dcu::EntryKind::meter_joined,
              dcu::encode(dcu::MeterLink{5, customer(1), 3, -80, 0, {customer(2), customer(1)}}));
    const auto failed =
        entry(2, customer(1), dcu::EntryKind::read_failed,
              dcu::encode(dcu::ReadFailure{dcu::ReadFault::no_answer, quarter(1), quarter(2)}));
    const auto broken = entry(3, customer(1), dcu::EntryKind::gap, {0x01});
    const auto started = entry(4, {}, dcu::EntryKind::started, {});
    const auto wired = entry(5, customer(2), dcu::EntryKind::meter_joined,
                             dcu::encode(dcu::MeterLink{0, customer(1), 4, 0, 64, {}}));
    const auto beyond = entry(6, customer(2), dcu::EntryKind::meter_joined,
                              dcu::encode(dcu::MeterLink{0, customer(1), 4, 0, 65, {}}));
    const auto dark = entry(7, customer(0), dcu::EntryKind::power_lost, dcu::encode(dcu::PowerLoss{true}));
    const auto outage = entry(8, {}, dcu::EntryKind::outage, dcu::encode(dcu::Outage{50, 40, 6}));
    auto batch = town.batch(0, 8, {});
    batch.events = {{joined}, {failed}, {broken}, {started}, {wired}, {beyond}, {dark}, {outage}};
    CHECK(town.store(batch).rejected == 2);
    CHECK(town.value("select count(*) from event where sequence = 1 and route = "
                     "array[540000000002, 540000000001]::bigint[]") == 1);
    CHECK(town.value("select count(*) from event where sequence = 7 and inferred") == 1);
    CHECK(town.value("select count(*) from event where members = 50 and reported = 40 and silent = 6") == 1);
    CHECK(town.value("select sub_address from event where sequence = 5 and rssi_dbm is null and hops = 4") ==
          64);
    CHECK(town.value("select count(*) from event where sequence = 1 and sub_address is null") == 1);
    CHECK(town.value(
              "select hops from event where sequence = 1 and parent = 540000000001 and rssi_dbm = -80") == 3);
    CHECK(town.value("select fault from event where sequence = 2 and from_us = " +
                     std::to_string(epoch_us(quarter(1)))) == 2);
    CHECK(town.value(
              "select count(*) from event where sequence = 4 and clock_doubtful and meter_number = 0") == 1);
    CHECK(town.value("select count(*) from event") == 6);
    CHECK(town.value("select hops from meter_link where joined and meter_number = 540000000000") == 3);
}

TEST_CASE("ingest: a batch that lost its race or its session stores nothing", "[db]") {
    Town town;
    const auto first = town.batch(0, 2, {Town::entry(0, 1, {interval(quarter(1), 1)})});
    REQUIRE(town.store(first).outcome == StoreOutcome::stored);

    SECTION("the very same batch again: it is stored already") {
        const auto done = town.store(first);
        CHECK(done.outcome == StoreOutcome::stored);
        CHECK(done.rows_new == 0);
        CHECK(done.entries_replayed == 2);
    }
    SECTION("another batch from the same place") {
        const auto done = town.store(town.batch(1, 3, {Town::entry(0, 3, {interval(quarter(2), 1)})}));
        CHECK(done.outcome == StoreOutcome::lost_race);
        CHECK(done.entries_replayed == 1);
    }
    SECTION("a batch from beyond: a restored database asks again") {
        CHECK(town.store(town.batch(5, 6, {Town::entry(0, 6, {interval(quarter(2), 1)})})).outcome ==
              StoreOutcome::lost_race);
    }
    SECTION("a newer session owns the concentrator") {
        const auto newer = Concentrators{town.frontend}.open_session(unit, midnight)->epoch;
        CHECK(newer > town.epoch);
        CHECK(town.store(town.batch(2, 3, {Town::entry(0, 3, {interval(quarter(2), 1)})})).outcome ==
              StoreOutcome::superseded);
        town.epoch = newer;
        CHECK(town.store(town.batch(2, 3, {Town::entry(0, 3, {interval(quarter(2), 1)})})).outcome ==
              StoreOutcome::stored);
        return;
    }
    CHECK(town.value("select count(*) from interval_row") == 1);
    CHECK(Cursors{town.frontend}.find(town.id, journal(1)) == Sequence{2});
}

TEST_CASE("ingest: two journals with the same id on two concentrators do not touch each other", "[db]") {
    Town town;
    const auto other = number("900000000002");
    Concentrators{town.admin}.add(other, "Station 2", midnight);
    REQUIRE(town.store(town.batch(0, 9, {})).outcome == StoreOutcome::stored);
    auto batch = town.batch(0, 4, {});
    batch.concentrator = other;
    batch.epoch = Concentrators{town.frontend}.open_session(other, midnight)->epoch;
    CHECK(town.store(batch).outcome == StoreOutcome::stored);
    CHECK(Cursors{town.frontend}.find(town.id, journal(1)) == Sequence{9});
}
