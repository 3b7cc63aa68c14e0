#include <soci/soci.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "headend/database/binary_rows.h"
#include "headend/database/cursors.h"
#include "headend/database/pg_store.h"
#include "tests/db/town.h"

/// The database goes away, comes back, or is somebody else's.
using namespace wattmesh;
using namespace wattmesh::test;

namespace {

/// Runs the work at once and completes when the test says so.
class StepExecutor : public platform::Executor {
public:
    bool try_post(std::function<void()> job, Completion completion) override {
        if (full) return false;
        std::exception_ptr failure;
        try {
            job();
        } catch (...) {
            failure = std::current_exception();
        }
        completion(failure);
        return true;
    }
    bool full = false;
};

struct StoreUnderTest {
    explicit StoreUnderTest(DatabaseSettings settings)
        : queue(
              settings, 1, executor, [this](std::function<void()> f) { posted.push_back(std::move(f)); },
              [this](const std::string& text) { log += text + "\n"; }),
          store(queue) {}
    StoreOutcome put(const Batch& batch) {
        std::optional<StoreOutcome> outcome;
        store.store(batch, [&](StoreOutcome o) { outcome = o; });
        for (auto& function : std::exchange(posted, {})) function();
        REQUIRE(outcome);
        return *outcome;
    }
    std::vector<std::function<void()>> posted;
    std::string log;
    StepExecutor executor;
    QueryQueue queue;
    PgStore store;
};

long long backend_of(Connection& connection) {
    return connection.run("asking", [](soci::session& sql) {
        long long pid = 0;
        sql << "select pg_backend_pid()::bigint", soci::into(pid);
        return pid;
    });
}

void kill_backend(Town& town, long long pid) {
    town.value("select pg_terminate_backend(" + std::to_string(pid) + ")::int");
    while (town.value("select count(*) from pg_stat_activity where pid = " + std::to_string(pid)) > 0) {
    }
}

}  // namespace

TEST_CASE("trouble: a backend killed in the middle leaves nothing, the retry stores exactly once", "[db]") {
    Town town;
    const auto batch = town.batch(
        0, 2, {Town::entry(0, 1, {interval(quarter(1), 1)}), Town::entry(1, 2, {interval(quarter(1), 2)})});
    // A lock on the table of marks stops the writer after rows and cursor are written and before the commit.
    Connection blocker{town.database.settings()};
    std::optional<Transaction> hold{blocker};
    blocker.execute("lock table wattmesh.dirty_day in access exclusive mode", "locking");
    const auto victim = backend_of(town.frontend);
    std::atomic<bool> failed{false};
    std::thread writer{[&] {
        try {
            town.store(batch);
        } catch (const DatabaseError& error) {
            failed = error.trouble() == Trouble::unavailable;
        }
    }};
    while (town.value("select count(*) from pg_locks where not granted and pid = " +
                      std::to_string(victim)) == 0) {
    }
    kill_backend(town, victim);
    writer.join();
    hold.reset();
    CHECK(failed);
    CHECK(town.value("select count(*) from interval_row") == 0);
    CHECK(town.value("select count(*) from journal_cursor") == 0);

    const auto again = town.store(batch);  // the same Connection: it finds itself a new session
    CHECK(again.outcome == StoreOutcome::stored);
    CHECK(again.rows_new == 2);
    CHECK(town.store(batch).outcome == StoreOutcome::stored);
    CHECK(town.value("select count(*) from interval_row") == 2);
    CHECK(Cursors{town.frontend}.find(town.id, journal(1)) == Sequence{2});
}

TEST_CASE("trouble: a connection that died while idle is not noticed by the caller", "[db]") {
    Town town;
    StoreUnderTest under{town.database.settings("wm_frontend")};
    REQUIRE(under.put(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1)})})) ==
            StoreOutcome::stored);
    const auto idle = town.value(
        "select pid from pg_stat_activity where usename = 'wm_frontend' and datname = current_database() and "
        "pid <> " +
        std::to_string(backend_of(town.frontend)));
    kill_backend(town, idle);
    CHECK(under.put(town.batch(1, 2, {Town::entry(0, 2, {interval(quarter(2), 1)})})) ==
          StoreOutcome::stored);
    CHECK(under.log.empty());
}

TEST_CASE("trouble: a kept statement is planned anew by each session, and says what is wrong with it",
          "[db]") {
    TestDatabase database;
    Connection connection{database.settings()}, admin{database.settings()};
    const auto sum = [&](std::int64_t number, const std::string& text) {
        const auto rows =
            BinaryRows::kept(connection, "select $1::bigint + length($2), decode($2, 'hex'), nullif($2, '')",
                             {number, text}, "adding up");
        REQUIRE(rows.size() == 1);
        CHECK(rows.octets(0, 1) == *from_hex(text));
        CHECK(rows.is_null(0, 2) == text.empty());
        return rows.integer(0, 0);
    };
    CHECK(sum(-7, "00ff") == -3);
    CHECK(sum(7, "") == 7);
    const auto plans = [&] {
        return BinaryRows{connection, "select count(*) from pg_prepared_statements", {}, "counting"}.integer(
            0, 0);
    };
    CHECK(plans() == 1);
    const auto before = backend_of(connection);
    admin.execute("select pg_terminate_backend(" + std::to_string(before) + ", 5000)", "cutting off");
    CHECK(sum(1, "aa") == 3);
    CHECK(backend_of(connection) != before);
    connection.execute("deallocate all", "forgetting behind its back");
    CHECK_THROWS_AS(sum(1, "aa"), DatabaseError);
    CHECK_THROWS_AS(BinaryRows::kept(connection, "select nothing", {}, "asking for nothing"), DatabaseError);
    try {
        BinaryRows::kept(connection, "select 1 / $1::int", {std::int64_t{0}}, "dividing");
        FAIL("it divided by zero");
    } catch (const DatabaseError& error) {
        CHECK(error.state() == "22012");
        CHECK(error.trouble() == Trouble::refused);
        CHECK_THAT(error.what(), Catch::StartsWith("while dividing: "));
    }
}

TEST_CASE("trouble: two writers with the same rows both end, every row is there once", "[db]") {
    Town town{40};
    std::vector<headend::frontend::StoredMeterRows> entries;
    for (int i = 0; i < 40; ++i)
        entries.push_back(Town::entry(i, static_cast<std::uint64_t>(i + 1),
                                      {interval(quarter(1), i), interval(quarter(2), i)}));
    std::vector<std::thread> writers;
    std::atomic<int> stored{0}, lost{0};
    for (int w = 0; w < 4; ++w)
        writers.emplace_back([&, w] {
            Connection connection{town.database.settings("wm_frontend")};
            auto batch = town.batch(0, 40, entries);
            batch.journal = journal(static_cast<std::uint8_t>(
                w / 2));  // two race for a journal, and the journals hold the same rows
            for (int attempt = 0; attempt < 20; ++attempt) {
                try {
                    const auto outcome = town.writer.store(connection, batch).outcome;
                    ++(outcome == StoreOutcome::stored ? stored : lost);
                    return;
                } catch (const DatabaseError& error) {
                    if (error.trouble() != Trouble::contention) throw;
                }
            }
        });
    for (auto& writer : writers) writer.join();
    CHECK(stored + lost == 4);
    CHECK(town.value("select count(*) from interval_row") == 80);
    CHECK(town.value("select count(*) from reading_conflict") == 0);
    CHECK(town.value("select count(*) from journal_cursor where sequence = 40") == 2);
}

TEST_CASE("trouble: the port answers unavailable and keeps SQL to the log", "[db]") {
    Town town;
    const auto batch = town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1)})});
    SECTION("nothing listens") {
        auto settings = town.database.settings("wm_frontend");
        settings.connection = "host=/nowhere port=1 user=wm_frontend password=topsecret dbname=none";
        StoreUnderTest under{settings};
        CHECK(under.put(batch) == StoreOutcome::unavailable);
        CHECK(under.put(batch) == StoreOutcome::unavailable);  // inside the back-off
        CHECK(under.store.counters().unavailable == 2);
        CHECK_THAT(under.log, Catch::Contains("connect") && !Catch::Contains("topsecret"));
        bool answered = false;
        under.store.cursor(journal(1), unit, [&](std::optional<Sequence> at) { answered = !at; });
        under.store.open_session(unit, midnight, [&](auto opened) { answered = answered && !opened; });
        CHECK(answered);
    }
    SECTION("the queue is full") {
        StoreUnderTest under{town.database.settings("wm_frontend")};
        under.executor.full = true;
        CHECK(under.put(batch) == StoreOutcome::unavailable);
        CHECK(under.queue.full());
        under.executor.full = false;
        CHECK(under.put(batch) == StoreOutcome::stored);
        CHECK_FALSE(under.queue.full());
    }
    SECTION("the batch makes no sense: not stored, and the log says why") {
        StoreUnderTest under{town.database.settings("wm_frontend")};
        auto strange = batch;
        strange.to = Sequence{1ULL << 63};
        CHECK(under.put(strange) == StoreOutcome::unavailable);
        CHECK_THAT(under.log, Catch::Contains("sequence range"));
        strange = batch;
        strange.concentrator = number("900000000099");
        CHECK(under.put(strange) == StoreOutcome::unavailable);
        CHECK_THAT(under.log, Catch::Contains("not registered"));
    }
    SECTION("all is well: sessions, cursors and counters") {
        StoreUnderTest under{town.database.settings("wm_frontend")};
        CHECK(under.put(batch) == StoreOutcome::stored);
        CHECK(under.store.counters().rows_new == 1);
        std::optional<Sequence> at;
        under.store.cursor(journal(1), unit, [&](std::optional<Sequence> found) { at = found; });
        CHECK(at == Sequence{1});
        under.store.cursor(journal(7), unit, [&](std::optional<Sequence> found) { at = found; });
        CHECK(at == Sequence{0});
        std::optional<headend::frontend::SessionOpened> opened;
        under.store.open_session(unit, midnight, [&](auto o) { opened = o; });
        CHECK(opened->epoch.value == town.epoch.value + 1);
        CHECK(under.put(town.batch(1, 2, {})) == StoreOutcome::superseded);
        under.store.open_session(number("900000000099"), midnight, [&](auto o) { opened = o; });
        CHECK(opened->standing == headend::frontend::Standing::unknown);
        CHECK(under.log.empty());
    }
}

TEST_CASE("trouble: the whole server is stopped and started in the middle", "[db]") {
    Town town;
    StoreUnderTest under{[&] {
        auto settings = town.database.settings("wm_frontend");
        settings.backoff_ms_max = 0;
        return settings;
    }()};
    REQUIRE(under.put(town.batch(0, 1, {Town::entry(0, 1, {interval(quarter(1), 1)})})) ==
            StoreOutcome::stored);
    const auto folder = Postgres::instance().folder();
    REQUIRE(std::system(("ops/pg stop " + folder + " immediate").c_str()) == 0);
    const auto second = town.batch(1, 2, {Town::entry(0, 2, {interval(quarter(2), 1)})});
    CHECK(under.put(second) == StoreOutcome::unavailable);
    REQUIRE(std::system(("ops/pg start " + folder + " >/dev/null </dev/null").c_str()) == 0);
    StoreOutcome outcome = StoreOutcome::unavailable;
    while (outcome == StoreOutcome::unavailable) outcome = under.put(second);
    CHECK(outcome == StoreOutcome::stored);
    Connection fresh{town.database.settings("wm_frontend")};
    CHECK(Cursors{fresh}.find(town.id, journal(1)) == Sequence{2});
}
