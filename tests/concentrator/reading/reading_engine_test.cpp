#include "concentrator/reading/reading_engine.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "concentrator/journal/queued_store.h"
#include "security/ciphers.h"
#include "tests/concentrator/journal/queue_executor.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/reading/fake_meter.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t start_s = 1'780'000'500;  // a multiple of 900 + 300
const SystemTitle own{{'W', 'M', 'T', 0, 0, 0, 0, 9}};

dcu::ReadingPlan plan(std::uint8_t rows_max = 6) {
    return {1,
            {{.profile = obis::load_profile,
              .period_s = 900,
              .delay_s = 20,
              .depth_s = 30 * 86'400,
              .rows_max = rows_max}}};
}

/// Some meters, a mesh that loses messages by a seed, and a concentrator that can be started again on the
/// same journal.
struct Bench {
    explicit Bench(int meters, std::int64_t history_s = 4 * 3'600, std::uint32_t seed = 1) : random(seed) {
        for (int n = 1; n <= meters; ++n) {
            fakes.emplace(meter(n), std::make_unique<FakeMeter>(
                                        meter(n), n, own, at(start_s - 300 - history_s), ciphers, random));
        }
        restart();
        engine->set_plan(plan());
    }

    /// `disk` touches the journal file while nothing runs.
    void restart(const std::function<void(const std::string& path)>& disk = {}) {
        executor.works.clear();
        air.clear();
        engine.reset();
        store.reset();
        database.reset();
        if (disk) disk(scratch.file("journal.sqlite"));
        const JournalId id = journal_id(++run);
        journals.push_back(id);
        database = std::make_unique<JournalDatabase>(scratch.file("journal.sqlite"), id);
        store = std::make_unique<QueuedStore>(*database, executor);
        EngineSettings settings;
        settings.own_title = own;
        engine = std::make_unique<ReadingEngine>(settings, *store, ciphers, random, database->recovered());
        std::vector<KeyedMeter> list;
        for (const auto& [number, fake] : fakes) {
            KeyedMeter keyed{{number, dcu::MeterRole::customer}, {}};
            if (!keyless.count(number))
                keyed.keys = meter_keys(static_cast<int>(number.integer() - 540000000000));
            list.push_back(keyed);
        }
        engine->set_meters(list);
    }

    Now now() const { return {clock, clock, doubtful}; }

    /// Runs for a while: the mesh takes two seconds for a message, the disk one.
    void run_for(Duration time) {
        const Instant end = clock + time;
        for (; clock < end; clock += 1s) {
            if (!executor.works.empty() && disk_works) executor.run_one();
            for (auto entry = air.begin(); entry != air.end();) {
                if (entry->due > clock) {
                    ++entry;
                    continue;
                }
                const auto request = entry->request;
                entry = air.erase(entry);
                deliver(request);
            }
            engine->tick(now());
            while (auto request = engine->take_request()) {
                ++sent;
                air.push_back({clock + 2s, *request});
                in_flight_max = std::max(in_flight_max, air.size());
            }
        }
    }
    void deliver(const ReadRequest& request) {
        if (random.below(100) < loss_percent || silent.count(request.meter)) {
            return engine->failed(request.meter, dcu::ReadFault::no_answer, now());
        }
        const auto answer = fakes.at(request.meter)->ask(request.payload, now().utc);
        if (!answer) return engine->failed(request.meter, dcu::ReadFault::no_answer, now());
        auto octets = *answer;
        if (forge) octets.back() ^= 1;
        engine->answered(request.meter, octets, now());
    }

    std::vector<dcu::Entry> entries() {
        std::vector<dcu::Entry> all;
        for (const auto& id : journals) {
            for (auto& entry : database->read(id, {0}, 100'000, 1 << 30)) all.push_back(std::move(entry));
        }
        return all;
    }
    /// What the journal holds of a meter, value by value; a second reading of the same instant must say the
    /// same.
    std::map<Instant, std::int64_t> readings(int n) {
        std::map<Instant, std::int64_t> out;
        for (const auto& entry : entries()) {
            if (entry.kind != dcu::EntryKind::interval_rows || entry.meter != meter(n)) continue;
            const auto typed = dcu::interval_rows(*dcu::decode_profile_rows(entry.payload), 900s);
            for (const auto& row : *typed) {
                ++rows;
                const auto [place, added] = out.emplace(row.at, *row.values[0]);
                CHECK(place->second == *row.values[0]);
            }
        }
        return out;
    }
    /// Every row from `first` to the last period's end, once and right.
    void check_complete(int n, Instant first) {
        const auto found = readings(n);
        std::size_t expected = 0;
        for (Instant row = first; row <= round_end(now().utc, plan().profiles[0]); row += 900s, ++expected) {
            INFO("meter " << n << " row " << epoch_us(row) / 1'000'000);
            const auto reading = found.find(row);
            REQUIRE(reading != found.end());
            CHECK(reading->second == FakeMeter::value(n, row));
        }
        CHECK(found.size() == expected);
    }
    std::vector<dcu::ReadFailure> failures(int n) {
        std::vector<dcu::ReadFailure> out;
        for (const auto& entry : entries()) {
            if (entry.kind == dcu::EntryKind::read_failed && entry.meter == meter(n)) {
                out.push_back(*dcu::decode_read_failure(entry.payload));
            }
        }
        return out;
    }

    struct OnAir {
        Instant due{};
        ReadRequest request;
    };
    Scratch scratch;
    security::OpensslCiphers ciphers;
    SeededRandom random;
    std::map<DeviceNumber, std::unique_ptr<FakeMeter>> fakes;
    std::set<DeviceNumber> silent, keyless;
    QueueExecutor executor;
    std::unique_ptr<JournalDatabase> database;
    std::unique_ptr<QueuedStore> store;
    std::unique_ptr<ReadingEngine> engine;
    std::vector<JournalId> journals;
    std::vector<OnAir> air;
    Instant clock = at(start_s);
    std::uint8_t run = 0;
    std::uint32_t loss_percent = 0;
    bool forge = false, disk_works = true, doubtful = false;
    std::size_t in_flight_max = 0, rows = 0, sent = 0;
};

const Instant first_row = at(start_s - 300 - 4 * 3'600);

}  // namespace

TEST_CASE("read window: the newest rows first, what is older is left behind", "[concentrator]") {
    const auto profile = plan().profiles[0];
    CHECK(round_end(at(1'000'019), profile) == at(999'900));
    CHECK(round_end(at(999'919), profile) == at(999'000));
    CHECK(round_end(at(999'920), profile) == at(999'900));

    struct Row {
        const char* why;
        std::int64_t position, from;
        std::optional<std::pair<std::int64_t, std::int64_t>> behind;
    };
    const auto row = GENERATE(values<Row>({
        {"one row is missing", 999'000, 999'900, {}},
        {"six rows are missing", 994'500, 995'400, {}},
        {"seven rows are missing", 993'600, 995'400, {{994'500, 994'500}}},
        {"many are missing", 900'000, 995'400, {{900'900, 994'500}}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto read = newest_read(at(row.position), at(999'900), profile);
        CHECK(read.window == Window{at(row.from), at(999'900)});
        REQUIRE(read.left_behind.has_value() == row.behind.has_value());
        if (row.behind) CHECK(*read.left_behind == Window{at(row.behind->first), at(row.behind->second)});
    }
    const auto never_read =
        newest_read(Instant{}, at(999'900), {.profile = {}, .depth_s = 9'000, .rows_max = 6});
    CHECK(never_read.left_behind == Window{at(991'800), at(994'500)});
}

TEST_CASE("reading: a new meter's whole history and every new row reach the journal", "[concentrator]") {
    Bench bench(5);
    bench.run_for(2h);
    for (int n = 1; n <= 5; ++n) bench.check_complete(n, first_row);
    CHECK(bench.rows == 5 * (17 + 8));  // nothing was read twice
    CHECK(bench.in_flight_max <= 6);
    CHECK(bench.engine->counts().failures == 0);
    CHECK(bench.sent <
          5 * (1 + 1 + 2 + 1 + 8) + 10);  // newest, oldest row, two more answers, and one per round
}

TEST_CASE("reading: over a mesh that loses a third, all is read", "[concentrator]") {
    const auto seed = GENERATE(1u, 2u, 3u);
    INFO("seed " << seed);
    Bench bench(8, 4 * 3'600, seed);
    bench.loss_percent = 33;
    bench.run_for(90min);
    bench.loss_percent = 0;
    bench.run_for(15min);
    for (int n = 1; n <= 8; ++n) bench.check_complete(n, first_row);
}

TEST_CASE("reading: the newest round comes first for every meter", "[concentrator]") {
    Bench bench(30, 10 * 86'400);
    bench.run_for(40s);
    int newest = 0;
    for (int n = 1; n <= 30; ++n) {
        const auto found = bench.readings(n);
        newest +=
            !found.empty() && found.rbegin()->first == round_end(bench.now().utc, plan().profiles[0]) ? 1 : 0;
        CHECK(found.size() <= 6);
    }
    CHECK(newest == 30);
}

TEST_CASE("reading: a concentrator that is killed at any moment goes on where its journal ends",
          "[concentrator]") {
    const auto seed = GENERATE(1u, 2u, 3u, 4u);
    INFO("seed " << seed);
    Bench bench(4, 4 * 3'600, seed);
    bench.loss_percent = 20;
    for (int i = 0; i < 6; ++i) {
        bench.run_for(std::chrono::seconds{20 + bench.random.below(400)});
        bench.restart();
        bench.engine->set_plan(plan());
    }
    bench.run_for(1h);
    bench.loss_percent = 0;
    bench.run_for(16min);
    for (int n = 1; n <= 4; ++n) bench.check_complete(n, first_row);
}

TEST_CASE("reading: nothing is read ahead of what is durable", "[concentrator]") {
    Bench bench(1);
    bench.run_for(2s);  // counters are there, the newest rows are asked for
    bench.disk_works = false;
    bench.run_for(30min);
    CHECK(bench.sent == 1);
    bench.disk_works = true;
    bench.run_for(30min);
    bench.check_complete(1, first_row);
}

TEST_CASE("reading: a silent meter leaves one reason per round, and is caught up later", "[concentrator]") {
    Bench bench(2);
    bench.run_for(10min);
    bench.silent.insert(meter(1));
    bench.run_for(1h);
    const auto failures = bench.failures(1);
    CHECK(failures.size() == 4);
    for (const auto& failure : failures) {
        CHECK(failure.fault == dcu::ReadFault::no_answer);
        CHECK(failure.from <= failure.to);
    }
    CHECK(bench.failures(2).empty());
    bench.silent.clear();
    bench.run_for(20min);
    bench.check_complete(1, first_row);
}

TEST_CASE("reading: new keys of a meter are used at once, be it the authentication key alone",
          "[concentrator]") {
    Bench bench(2);
    bench.run_for(5min);
    const auto kind = GENERATE(dlms::KeyKind::authentication, dlms::KeyKind::unicast_encryption);
    const auto fresh = SymmetricKey::from(Buffer(16, 0x77)).value();
    REQUIRE(bench.fakes.at(meter(1))->take_key(kind, fresh));
    auto keys = meter_keys(1);
    keys.reading.set(kind, fresh);
    bench.engine->set_meters({{{meter(1), dcu::MeterRole::customer}, keys},
                              {{meter(2), dcu::MeterRole::customer}, meter_keys(2)}});
    bench.run_for(20min);
    CHECK(bench.failures(1).empty());
    bench.check_complete(1, first_row);
    bench.check_complete(2, first_row);
}

TEST_CASE("reading: a meter without key, one that refuses, one that is forged: each with its reason",
          "[concentrator]") {
    Bench bench(3);
    SECTION("no key") {
        bench.keyless.insert(meter(2));
        bench.restart();
        bench.engine->set_plan(plan());
        bench.run_for(2min);
        REQUIRE(bench.failures(2).size() == 1);
        CHECK(bench.failures(2)[0].fault == dcu::ReadFault::no_key);
        CHECK(bench.failures(1).empty());
    }
    SECTION("refused") {
        bench.fakes.at(meter(2))->refuses = dlms::AccessResult::read_write_denied;
        bench.run_for(10min);
        REQUIRE(bench.failures(2).size() == 1);
        CHECK(bench.failures(2)[0].fault == dcu::ReadFault::refused);
    }
    SECTION("not authentic") {
        bench.forge = true;
        bench.run_for(10min);
        for (int n = 1; n <= 3; ++n) {
            REQUIRE(bench.failures(n).size() == 1);
            CHECK(bench.failures(n)[0].fault == dcu::ReadFault::not_authentic);
            CHECK(bench.readings(n).empty());
        }
        bench.forge = false;
        bench.run_for(20min);
        bench.check_complete(1, first_row);
    }
}

TEST_CASE("reading: rows that the meter got late or never had", "[concentrator]") {
    Bench bench(1);
    SECTION("its clock is behind") {
        bench.fakes.at(meter(1))->clock_behind = 100s;
        bench.run_for(1h);
        bench.run_for(2min);
        bench.check_complete(1, first_row);
    }
    SECTION("it was without power") {
        auto& fake = *bench.fakes.at(meter(1));
        fake.outage_from = first_row + 2 * 900s;
        fake.outage_to = first_row + 11 * 900s;
        bench.run_for(30min);
        const auto found = bench.readings(1);
        CHECK(found.begin()->first == first_row);
        CHECK(found.size() == 17 - 9 + 2);
        CHECK(bench.database->recovered().ranges.empty());
    }
}

TEST_CASE("reading: a backfill range is read again, durably and once", "[concentrator]") {
    Bench bench(2);
    bench.run_for(5min);
    int stored = 0;
    const std::vector<dcu::BackfillRange> ranges{
        {meter(1), obis::load_profile, first_row + 1s, first_row + 4 * 900s},
        {meter(9), obis::load_profile, first_row, first_row + 900s},
        {meter(1), obis::event_log, first_row, first_row + 900s}};
    bench.readings(1);
    const auto before = bench.rows;
    bench.engine->backfill(ranges, [&](bool done) { stored += done ? 1 : 0; });
    CHECK(stored == 0);
    bench.executor.run();
    CHECK(stored == 1);
    bench.engine->backfill(ranges, [&](bool done) { stored += done ? 1 : 0; });  // pending already
    CHECK(stored == 2);
    bench.restart();  // before it was read
    bench.engine->set_plan(plan());
    bench.run_for(1min);
    bench.rows = 0;
    bench.readings(1);
    CHECK(bench.rows == before + 4);
    bench.restart();
    CHECK(bench.database->recovered().ranges.empty());
}

TEST_CASE("reading: a held meter waits, its neighbour does not", "[concentrator]") {
    Bench bench(2);
    bench.engine->hold(meter(1), never);
    bench.run_for(1min);
    CHECK(bench.fakes.at(meter(1))->requests == 0);
    CHECK(bench.fakes.at(meter(2))->requests > 0);
    bench.engine->hold(meter(1), bench.clock + 5s);
    bench.run_for(1min);
    CHECK(bench.fakes.at(meter(1))->requests > 0);
}

TEST_CASE("reading: answers of many rows are cut into entries of bounded size that tell their own time",
          "[concentrator]") {
    Bench bench(1, 5 * 86'400);
    bench.engine->set_plan(plan(200));
    bench.run_for(5min);
    bench.check_complete(1, at(start_s - 300 - 5 * 86'400));
    for (const auto& entry : bench.entries()) CHECK(entry.payload.size() <= dcu::entry_payload_size_max);
}

TEST_CASE("reading: changes of list and plan in the middle of a read", "[concentrator]") {
    Bench bench(6);
    for (int i = 0; i < 20; ++i) {
        bench.run_for(3s);
        bench.engine->set_plan(plan(static_cast<std::uint8_t>(2 + i % 5)));
        if (i % 3 == 0) bench.engine->set_meters({});
        if (i % 3 == 0) {
            std::vector<KeyedMeter> list;
            for (int n = 1; n <= 6; ++n)
                list.push_back({{meter(n), dcu::MeterRole::customer}, meter_keys(n)});
            bench.engine->set_meters(list);
        }
    }
    bench.run_for(1h);
    for (int n = 1; n <= 6; ++n) bench.check_complete(n, first_row);
}

// The restored file has the counters of two hours ago. The meters accept no counter twice, and none may be
// sent twice.
TEST_CASE("reading: a journal restored from an old copy uses no counter again", "[concentrator]") {
    Bench bench(3);
    const auto copy = bench.scratch.file("copy");
    bench.run_for(10min);
    bench.restart([&](const std::string& path) { std::filesystem::copy(path, copy); });
    bench.engine->set_plan(plan());
    bench.run_for(2h);
    bench.restart([&](const std::string& path) {
        std::filesystem::copy(copy, path, std::filesystem::copy_options::overwrite_existing);
    });
    bench.engine->set_plan(plan());
    const auto before = bench.sent;
    bench.run_for(5min);
    CHECK(bench.engine->counts().failures == 0);
    CHECK(bench.sent > before);
    bench.check_complete(1, first_row);
}
