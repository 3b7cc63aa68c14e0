#include <catch2/catch.hpp>

#include <set>

#include "headend/database/counter_blocks.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

TEST_CASE("counters: never repeat over processes, crashes and restores", "[db]") {
    Town town;
    const auto meter = Meters{town.monitor}.find(customer(0))->id;
    KeyCounters counters{town.monitor};
    std::set<std::uint32_t> used;
    std::uint32_t highest = 0;
    const auto take = [&](Connection& connection, Instant now) {
        const auto block = KeyCounters{connection}.reserve(meter, KeyPurpose::management_ek, 64, now).value();
        CHECK(block.last - block.first == 63);
        CHECK(block.first > highest);  // strictly increasing, whoever asks
        for (std::uint64_t i = block.first; i <= block.last; ++i)
            CHECK(used.insert(static_cast<std::uint32_t>(i)).second);
        highest = block.last;
        return block;
    };
    const auto first = take(town.monitor, midnight);
    Connection other{town.database.settings("wm_monitor")};
    take(other, midnight);
    take(town.monitor, midnight - std::chrono::hours{24 * 365});  // a clock that went back

    SECTION("a restored server jumps") {
        town.admin.execute("update server_identity set system_identifier = 1", "pretending to be restored");
        const auto before = highest;
        CHECK(take(town.monitor, midnight).first > before + (1 << 20) - 64);
        const auto after = take(town.monitor, midnight);
        CHECK(after.first < used.size() + (1U << 21) + first.first);  // once, not every time
    }
    SECTION("a copy put back cannot know, but time has passed") {
        town.admin.execute("update key_counter set reserved = 0", "pretending to be an old copy");
        take(town.monitor, midnight + std::chrono::hours{1});
    }
    SECTION("used up") {
        town.admin.execute("update key_counter set reserved = 4294967290", "using it up");
        CHECK_FALSE(counters.reserve(meter, KeyPurpose::management_ek, 64, midnight));
    }
    SECTION("what was accepted from the meter only rises") {
        counters.received(meter, KeyPurpose::management_ek, 500, 0);
        counters.received(meter, KeyPurpose::management_ek, 400, 0);
        CHECK(counters.reserve(meter, KeyPurpose::management_ek, 64, midnight)->received == 500);
    }
}

TEST_CASE("counters: a loop thread works from memory, and a new process starts above", "[db]") {
    struct AtOnce : platform::Executor {
        bool try_post(std::function<void()> job, Completion completion) override {
            job();
            completion(nullptr);
            return true;
        }
    } executor;
    Town town;
    const auto meter = Meters{town.monitor}.find(customer(0))->id;
    QueryQueue queue{town.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); },
                     [](const auto&) {}};
    std::uint32_t last = 0;
    {
        CounterHorizon horizon;
        CounterBlocks blocks{queue, horizon};
        CounterStore& counter = blocks.of(customer(0));
        CHECK_FALSE(counter.next());  // nothing reserved yet
        REQUIRE(blocks.refill(town.monitor, customer(0), meter, midnight));
        for (std::uint32_t i = 0; i < 200; ++i) {
            const auto value = counter.next().value();
            CHECK(value > last);
            last = value;
        }
        REQUIRE(blocks.refill(town.monitor, customer(0), meter, midnight));
        CHECK(counter.next().value() > last);
        last = counter.next().value();
        CHECK(counter.accept(10));
        CHECK_FALSE(counter.accept(10));
        CHECK(counter.accept(12));
        // A push is opened after answers that the meter gave later: each value once, and not without end.
        CounterStore& unasked = blocks.unasked(customer(0));
        CHECK(unasked.accept(11));
        CHECK_FALSE(unasked.accept(11));
        CHECK_FALSE(unasked.accept(10));
        CHECK_FALSE(unasked.accept(12));
        CHECK_FALSE(counter.accept(9));
        CHECK(counter.accept(12 + CounterBlocks::late_max));
        CHECK_FALSE(unasked.accept(12));
        CHECK_FALSE(unasked.accept(11));
        CHECK(unasked.accept(13));
        CHECK(unasked.accept(100));
        CHECK_FALSE(counter.accept(100));
    }
    CHECK(town.value("select received from key_counter") == 100);
    CounterHorizon horizon;
    CounterBlocks restarted{queue, horizon};
    CounterStore& counter = restarted.of(customer(0));
    REQUIRE(restarted.refill(town.monitor, customer(0), meter, midnight));
    CHECK(counter.next().value() > last);
    CHECK_FALSE(counter.accept(100));
    CHECK_FALSE(restarted.unasked(customer(0)).accept(99));
    CHECK(counter.accept(101));

    const std::uint32_t next = counter.next().value();
    counter.raise(next);  // never downwards
    CHECK(counter.next().value() == next + 1);
    counter.raise(next + 10);
    CHECK(counter.next().value() == next + 10);
    counter.raise(next + 100'000);  // above the block: nothing until a block that begins there
    CHECK_FALSE(counter.next());
    REQUIRE(restarted.refill(town.monitor, customer(0), meter, midnight));
    CHECK(counter.next().value() == next + 100'000);
    CounterBlocks again{queue, horizon};
    REQUIRE(again.refill(town.monitor, customer(0), meter, midnight));
    CHECK(again.of(customer(0)).next().value() > next + 100'000);
}
