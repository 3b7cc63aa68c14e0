#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/fleet/pg_model.h"
#include "tests/fleet/trouble.h"
#include "tests/fleet/verdict.h"

namespace wattmesh::fleet {
namespace {

using namespace std::chrono_literals;

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
    const char* text = std::getenv(variable);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

constexpr int side_by_side = 4;  ///< percent: two lines of houses, 200 m apart

std::filesystem::path folder_for(std::uint64_t seed) {
    const char* memory = "/dev/shm";
    const auto root = std::filesystem::exists(memory) ? std::filesystem::path{memory}
                                                      : std::filesystem::temp_directory_path();
    return root / ("wattmesh-fleet-" + std::to_string(getpid()) + '-' + std::to_string(seed));
}

struct Run {
    Verdict verdict;
    FaultCounts faults;
    sim::FieldCounters radio;
    std::uint64_t lost_answers = 0, failed_calls = 0, trace = 0, owners_wrong = 0, roamed = 0, away = 0,
                  moves = 0, returns = 0;
    std::string state;
    Duration settled{};
};

/// Twelve hours with faults, then up to four without, until every reading of the time before is stored.
Run play(std::uint64_t seed, HeadModel& model, World::Addresses addresses = World::Addresses::shared) {
    World world{seed, model, folder_for(seed), 100, addresses};
    const bool redundant = addresses == World::Addresses::primary_and_backup;
    const auto faults_end = world.start() + 12h;
    Trouble trouble{world, seed, faults_end};
    trouble.plan();
    if (redundant) trouble.plan_for_primary();
    world.run_until(faults_end);
    world.heal();
    Run run;
    for (auto checked = faults_end + 10min; checked <= faults_end + 4h; checked += 10min) {
        world.run_until(checked);
        run.verdict = judge(world, model, faults_end);
        run.settled = checked - faults_end;
        run.owners_wrong = world.owners_wrong();
        const bool home = world.uplink_state(0).current == 0 && world.uplink_state(1).current == 0;
        if (run.verdict.good() && run.owners_wrong == 0 && home) break;
    }
    run.faults = world.faults();
    for (std::size_t site = 0; site < 2; ++site) {
        const auto state = world.uplink_state(site);
        run.away += state.current == 0 ? 0U : 1U;
        run.moves += state.moves;
        run.returns += state.returns;
    }
    run.radio = world.field().radio().counters();
    run.lost_answers = world.lost_answers();
    run.failed_calls = world.failed_calls();
    run.state = world.describe();
    run.trace = world.trace_hash();
    run.roamed = world.field().radio().node_counters().roamed;
    return run;
}

std::string line(std::uint64_t seed, const Run& run) {
    const auto& f = run.faults;
    const auto& v = run.verdict;
    std::string out = "{\"seed\":" + std::to_string(seed);
    const auto add = [&](const char* name, std::uint64_t value) {
        out += ",\"" + std::string{name} + "\":" + std::to_string(value);
    };
    add("expected", v.expected), add("stored", v.stored), add("missing", v.missing), add("wrong", v.wrong);
    add("invented", v.invented), add("conflicts", v.conflicts), add("rejected", v.rejected);
    add("cuts", f.cuts), add("silent_cuts", f.silent_cuts), add("head_crashes", f.head_crashes);
    add("concentrator_crashes", f.concentrator_crashes), add("disks_restored", f.disks_restored);
    add("database_outages", f.database_outages), add("database_slow", f.database_slow);
    add("answers_lost", run.lost_answers), add("calls_failed", run.failed_calls);
    add("meters_moved", f.meters_moved), add("collectors_killed", f.collectors_killed);
    add("meters_killed", f.meters_killed), add("power_cuts", f.power_cuts),
        add("keys_renewed", f.keys_renewed), add("radio_lost", run.radio.frames_lost);
    add("roamed", run.roamed), add("owners_wrong", run.owners_wrong);
    add("head_hangs", f.head_hangs), add("moves", run.moves), add("returns", run.returns);
    add("settled_s", static_cast<std::uint64_t>(run.settled / 1s)), add("trace", run.trace);
    return out + "}";
}

void check_seed(std::uint64_t seed, HeadModel& model, const char* variant) {
    const auto run = play(seed, model);
    std::cout << line(seed, run) << std::endl;
    INFO("replay: WATTMESH_SEED=" << seed << " build/release/bin/test_fleet \"" << variant << "\"");
    INFO(line(seed, run));
    INFO(run.verdict.example);
    INFO(run.state);
    CHECK(run.verdict.good());
    CHECK(run.owners_wrong == 0);
    CHECK(run.verdict.expected >= 40 * 4 * 12);
    CHECK(run.faults.cuts + run.faults.silent_cuts > 0);
    CHECK(run.faults.meters_moved > 0);
}

}  // namespace

TEST_CASE("fleet: whatever breaks, every reading is stored once and right", "[fleet]") {
    const auto only = number_from("WATTMESH_SEED", 0);
    const auto seeds = number_from("WATTMESH_SEEDS", 10);
    for (std::uint64_t seed = only == 0 ? 1 : only; seed <= (only == 0 ? seeds : only); ++seed) {
        MemoryModel model{make_scene(seed)};
        check_seed(seed, model, "fleet: whatever breaks*");
    }
}

TEST_CASE("fleet: the same on PostgreSQL", "[fleet][postgres]") {
    const auto only = number_from("WATTMESH_SEED", 0);
    const auto seeds = number_from("WATTMESH_SEEDS", 10) / 10;
    const std::uint64_t first = 1001;
    for (std::uint64_t seed = only == 0 ? first : only; seed < (only == 0 ? first + seeds : only + 1);
         ++seed) {
        PostgresModel model{make_scene(seed)};
        check_seed(seed, model, "fleet: the same on PostgreSQL");
    }
}

TEST_CASE("fleet: meters that roam have one concentrator, and keep their history", "[fleet][roaming]") {
    const auto only = number_from("WATTMESH_SEED", 0);
    for (std::uint64_t seed = only == 0 ? 1 : only; seed <= (only == 0 ? 5 : only); ++seed) {
        MemoryModel model{make_scene(seed, side_by_side)};
        World world{seed, model, folder_for(seed), side_by_side};
        const auto start = world.start();
        const auto held = [&](std::size_t site) {
            std::size_t count = 0;
            for (const auto& meter : model.list(world.scene().town.concentrators[site]).meters)
                count += meter.lease.here ? 1U : 0U;
            return count;
        };
        // The whole box, with its radio module: without that its meters have nobody to hang on.
        const auto switch_off = [&](std::size_t site, Duration span, bool restore) {
            const auto number = world.scene().town.concentrators[site];
            world.crash_concentrator(site, span, restore);
            world.field().kill(number);
            world.timeline().after(span, [&world, number] { world.field().revive(number); });
        };
        world.run_until(start + 2h);
        const auto home = held(0), home_of_other = held(1);
        // The first falls silent: the other one takes in whom it hears, once the head-end has let it.
        switch_off(0, 80min, false);
        world.run_until(start + 3h);
        world.remember_disk(1);
        world.run_until(start + 3h + 20min);
        const auto away = home - held(0);
        CHECK(held(0) + held(1) == home + home_of_other);
        // It is cut off, and comes back as it was when it had them; meanwhile they have gone home.
        world.isolate(1, 4h);
        world.run_until(start + 4h);
        switch_off(1, 70min, true);
        world.run_until(start + 6h);
        const auto left_with_other = held(1);
        world.run_until(start + 9h);
        const auto verdict = judge(world, model, world.now() - 1h);
        INFO("seed " << seed << ": of " << home << " and " << home_of_other << " meters " << away
                     << " went over; " << left_with_other
                     << " were still the other's while it was cut off; now " << held(0) << " and " << held(1)
                     << "; " << verdict.example << "; " << world.describe());
        std::cout << "{\"seed\":" << seed << ",\"home\":" << home << ",\"went_over\":" << away
                  << ",\"left_with_other\":" << left_with_other << ",\"now\":" << held(0)
                  << ",\"owners_wrong\":" << world.owners_wrong() << ",\"missing\":" << verdict.missing
                  << ",\"roamed\":" << world.field().radio().node_counters().roamed << "}" << std::endl;
        CHECK(away > 0);
        CHECK(left_with_other < home_of_other + away);
        CHECK(world.owners_wrong() == 0);
        CHECK(verdict.good());
    }
}

TEST_CASE("fleet: the primary front-end dies, hangs and flaps, and no reading is lost or doubled",
          "[fleet][redundancy]") {
    const auto only = number_from("WATTMESH_SEED", 0);
    const std::uint64_t first = 301, seeds = number_from("WATTMESH_SEEDS", 10) / 2;
    for (std::uint64_t seed = only == 0 ? first : only; seed < (only == 0 ? first + seeds : only + 1);
         ++seed) {
        MemoryModel model{make_scene(seed)};
        const auto run = play(seed, model, World::Addresses::primary_and_backup);
        std::cout << line(seed, run) << std::endl;
        INFO("replay: WATTMESH_SEED=" << seed << " build/release/bin/test_fleet \"[redundancy]\"");
        INFO(line(seed, run));
        INFO(run.verdict.example);
        INFO(run.state);
        CHECK(run.verdict.good());
        CHECK(run.owners_wrong == 0);
        CHECK(run.verdict.expected >= 40 * 4 * 12);
        CHECK(run.faults.head_hangs >= 4);
        CHECK(run.moves > 0);
        CHECK(run.away == 0);  // everybody is back at the primary
    }
}

TEST_CASE("fleet: whoever loses the primary is at the backup within 90 s, and goes back when it is stable",
          "[fleet][redundancy]") {
    const auto seed = number_from("WATTMESH_SEED", 7);
    MemoryModel model{make_scene(seed)};
    World world{seed, model, folder_for(seed), 100, World::Addresses::primary_and_backup};
    const auto both_at = [&](std::size_t head) {
        return world.has_session(head, 0) && world.has_session(head, 1);
    };
    world.run_until(world.start() + 30min);
    REQUIRE(both_at(0));
    Duration slowest{};
    for (int time = 0; time < 6; ++time) {
        const auto lost_at = world.now();
        if (time % 2 == 0)
            world.hang_head(0, 20min);
        else
            world.crash_head(0, 20min);
        while (!both_at(1) && world.now() < lost_at + 5min) world.run_until(world.now() + 1s);
        INFO("after " << (world.now() - lost_at) / 1s << " s; " << world.describe());
        slowest = std::max(slowest, world.now() - lost_at);
        CHECK(world.now() - lost_at <= 90s);
        world.run_until(lost_at + 20min);
        CHECK(both_at(1));
        world.run_until(lost_at + 24min);  // it is there again, and has to prove itself first
        CHECK(both_at(1));
        world.run_until(lost_at + 2h);
        CHECK(both_at(0));
    }
    std::cout << "{\"reconnected_s_max\":" << slowest / 1s << "}" << std::endl;
    CHECK(judge(world, model, world.now() - 1h).good());
}

TEST_CASE("fleet: a seed replays to the same trace", "[fleet]") {
    const auto seed = number_from("WATTMESH_SEED", 1);
    MemoryModel first{make_scene(seed)}, second{make_scene(seed)};
    CHECK(play(seed, first).trace == play(seed, second).trace);
}

}  // namespace wattmesh::fleet
