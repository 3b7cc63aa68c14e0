#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {
namespace {

constexpr JournalId journal_a{{0xA}}, journal_b{{0xB}};

dlms::Data event(std::uint64_t sequence, dcu::EntryKind kind, Buffer payload = {}) {
    return dcu::to_data(dcu::Entry{.sequence = Sequence{sequence},
                                   .meter = number_of(meter_1),
                                   .kind = kind,
                                   .time = start_of_day,
                                   .clock_doubtful = false,
                                   .payload = std::move(payload)});
}

/// `count` entries of one row each, quarter hour after quarter hour.
FakeConcentrator::Journal journal_of(FakeConcentrator& unit, JournalId id, std::uint64_t count) {
    FakeConcentrator::Journal journal{id, {}, {}, 0};
    for (std::uint64_t i = 1; i <= count; ++i) {
        const auto at = start_of_day + std::chrono::minutes{15} * static_cast<std::int64_t>(i % 40);
        journal.rows.push_back(
            unit.interval_entry(i, i % 2 == 0 ? meter_2 : meter_1, at, 1, static_cast<std::uint32_t>(i)));
    }
    return journal;
}

}  // namespace

TEST_CASE("replication: drains old journals first, in bounded batches, and acknowledges", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 450), journal_of(unit, journal_b, 3)};
    world.log_in(unit);
    CHECK(world.store.rows() == 453);
    REQUIRE(world.store.batches.size() == 4);
    CHECK(world.store.batches[0].to == Sequence{200});
    CHECK(world.store.batches[2].from == Sequence{400});
    CHECK(world.store.batches[3].journal == journal_b);
    CHECK(unit.journals[0].acknowledged == Sequence{450});
    CHECK(unit.journals[1].acknowledged == Sequence{3});
    const StoredMeterRows& last = world.store.batches[3].intervals.back();
    CHECK(last.meter == number_of(meter_1));
    CHECK(last.profile == obis::load_profile);
    CHECK(last.sequence == Sequence{3});
    REQUIRE(last.rows.size() == 1);
    CHECK(last.rows[0].at == start_of_day + std::chrono::minutes{45});
    CHECK(last.rows[0].channels == 4);
    CHECK(last.rows[0].values[0] == 3);
}

TEST_CASE("replication: a notification brings new entries at once, told twice they are stored once",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 1)};
    const LinkId link = world.log_in(unit);
    CHECK(world.store.rows() == 1);
    unit.journals[0].rows.push_back(unit.interval_entry(2, meter_1, start_of_day + std::chrono::hours{3}, 2));
    world.core.on_bytes(link, unit.notification(), world.now);
    world.core.on_bytes(link, unit.notification(), world.now);
    world.settle();
    CHECK(world.store.rows() == 3);
    CHECK(world.store.batches.size() == 2);
    CHECK(world.view(link).counters.notifications == 2);
}

TEST_CASE("replication: what nobody announced is found by looking every minute", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 1)};
    world.log_in(unit);
    unit.journals[0].rows.push_back(unit.interval_entry(2, meter_1, start_of_day + std::chrono::hours{3}, 2));
    world.pass(std::chrono::minutes{1});
    CHECK(world.store.rows() == 3);
}

TEST_CASE("replication: goes on from the store's cursor", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 10)};
    world.store.cursors[journal_a] = Sequence{7};
    world.log_in(unit);
    CHECK(world.store.rows() == 3);
    CHECK(world.store.batches[0].from == Sequence{7});
    CHECK(unit.journals[0].acknowledged == Sequence{10});
}

TEST_CASE("replication: stored but never acknowledged entries are acknowledged, not read again",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 10)};
    world.store.cursors[journal_a] = Sequence{10};
    world.log_in(unit);
    CHECK(unit.reads_of_journal == 0);
    CHECK(unit.journals[0].acknowledged == Sequence{10});
}

TEST_CASE("replication: entries before the journal's first one are skipped", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 4)};
    const auto directory = dlms::array({dcu::to_data(
        dcu::JournalInfo{journal_a, dcu::objects::journal(0), Sequence{3}, Sequence{4}, Sequence{0}})});
    FakeConcentrator::Journal& journal = unit.journals[0];
    const LinkId link = world.connect(unit);
    journal.rows[0] = journal.rows[1] = dlms::Data{};  // would be rejected if they were read
    world.store.mute = true;                           // so that only the notification below is heard
    world.core.on_bytes(link, unit.login(), world.now);
    world.store.mute = false;
    world.settle();
    world.pass(std::chrono::seconds{61});
    world.core.on_bytes(
        link,
        link::encode_wrapper({Sap{1}, dcu::replication_client, dlms::encode_data_notification(1, directory)}),
        world.now);
    world.settle();
    CHECK(world.store.cursors[journal_a] == Sequence{4});
}

TEST_CASE("replication: a cursor beyond the journal's end is told to the concentrator once", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 5), journal_of(unit, journal_b, 2)};
    world.store.cursors[journal_a] = Sequence{9};
    const LinkId link = world.log_in(unit);
    CHECK(unit.journals[0].acknowledged == Sequence{9});
    CHECK(world.store.rows() == 2);
    world.pass(std::chrono::minutes{5});
    CHECK(std::count_if(unit.writes.begin(), unit.writes.end(), [](const auto& write) {
              return write.first == dcu::objects::journal_acknowledge &&
                     write.second == dcu::to_data(dcu::Acknowledgement{journal_a, Sequence{9}});
          }) == 1);
    CHECK(world.view(link).replicated->beyond_end >= 1);
}

TEST_CASE("replication: poisoned entries go to the rejected ones with their reason, the others are stored",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const auto year_2099 = std::chrono::sys_days{std::chrono::year{2099} / 1 / 1};
    auto bad_profile = event(2, dcu::EntryKind::interval_rows, {0x02, 0x01});
    unit.journals = {{journal_a,
                      {
                          unit.interval_entry(1, meter_1, start_of_day, 1),
                          bad_profile,
                          dlms::Data{std::uint8_t{7}},  // not even a row
                          unit.interval_entry(4, meter_1, year_2099, 1),
                          event(5, static_cast<dcu::EntryKind>(99)),
                          event(6, dcu::EntryKind::meter_joined, {0x01}),
                          event(7'000'000'000, dcu::EntryKind::started),  // beyond the end
                          event(8, dcu::EntryKind::meter_lost),
                          event(8, dcu::EntryKind::meter_lost),  // the same again
                          unit.interval_entry(10, meter_2, start_of_day, 2),
                      },
                      {},
                      0}};
    const LinkId link = world.log_in(unit);
    REQUIRE(world.store.batches.size() == 1);
    const Batch& batch = world.store.batches[0];
    CHECK(batch.to == Sequence{10});
    CHECK(world.store.rows() == 3);
    CHECK(batch.events.size() == 1);
    std::vector<std::uint64_t> rejected;
    for (const RejectedEntry& entry : batch.rejected) {
        rejected.push_back(entry.sequence.value);
        CHECK_FALSE(entry.reason.empty());
        CHECK_FALSE(entry.raw.empty());
    }
    CHECK(rejected == std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7});
    CHECK(batch.rejected[2].reason == "an instant is before 2000 or more than a day ahead");
    CHECK(world.view(link).replicated->stale_rows == 1);
    CHECK(world.phase(link) == Phase::ready);
}

TEST_CASE("replication: while the store is down nothing more is asked for, afterwards nothing is missing",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 500)};
    const LinkId link = world.log_in(unit);
    unit.journals[0].rows.push_back(
        unit.interval_entry(501, meter_1, start_of_day + std::chrono::hours{2}, 1));
    unit.journals[0].rows.push_back(
        unit.interval_entry(502, meter_1, start_of_day + std::chrono::hours{4}, 1));
    world.store.down = true;
    const int reads = unit.reads_of_journal;
    world.pass(std::chrono::minutes{20});
    CHECK(unit.reads_of_journal == reads + 1);
    CHECK(world.store.refused_batches < 40);
    CHECK(world.view(link).replicated->unavailable > 5);
    world.store.down = false;
    world.pass(std::chrono::minutes{2});
    CHECK(world.store.rows() == 502);
    CHECK(world.phase(link) == Phase::ready);
}

TEST_CASE("replication: a store that swallows a call is asked where it stands", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 1)};
    world.log_in(unit);
    unit.journals[0].rows.push_back(unit.interval_entry(2, meter_1, start_of_day + std::chrono::hours{2}, 1));
    world.store.mute = true;  // commits and never says so
    world.pass(std::chrono::minutes{2});
    world.store.mute = false;
    unit.journals[0].rows.push_back(unit.interval_entry(3, meter_1, start_of_day + std::chrono::hours{3}, 1));
    world.pass(std::chrono::minutes{5});
    CHECK(world.store.rows() == 3);
    CHECK(world.store.cursors[journal_a] == Sequence{3});
}

TEST_CASE("replication: a stale epoch loses: the session ends, the newer front-end goes on", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 1)};
    const LinkId link = world.log_in(unit);
    ++world.store.epochs[number_of(concentrator_1)].value;  // it logged in at another front-end
    unit.journals[0].rows.push_back(unit.interval_entry(2, meter_1, start_of_day + std::chrono::hours{2}, 1));
    world.pass(std::chrono::minutes{1});
    CHECK(world.closed.at(link) == "a newer session owns this concentrator");
    CHECK(world.store.rows() == 1);
}

TEST_CASE("replication: a lost race reads the cursor again and goes on behind it", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 4)};
    const LinkId link = world.log_in(unit);
    unit.journals[0] = journal_of(unit, journal_a, 8);
    world.store.cursors[journal_a] = Sequence{6};  // somebody stored two more
    world.pass(std::chrono::minutes{2});
    CHECK(world.view(link).replicated->lost_races == 1);
    CHECK(world.store.cursors[journal_a] == Sequence{8});
    CHECK(world.store.rows() == 6);
}

TEST_CASE("replication: a directory that promises entries which do not come is asked again, slowly",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals = {journal_of(unit, journal_a, 2)};
    unit.journals[0].last_claimed = 5;
    const LinkId link = world.log_in(unit);
    world.pass(std::chrono::minutes{10});
    CHECK(world.store.rows() == 2);
    CHECK(unit.reads_of_journal < 30);
    unit.journals[0] = journal_of(unit, journal_a, 5);
    world.pass(std::chrono::minutes{2});
    CHECK(world.store.rows() == 5);
    CHECK(world.phase(link) == Phase::ready);
}

}  // namespace wattmesh::headend::frontend
