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
    std::uint64_t lost_answers = 0, failed_calls = 0, trace = 0;
    std::string state;
    Duration settled{};
};

/// Twelve hours with faults, then up to four without, until every reading of the time before is stored.
Run play(std::uint64_t seed, HeadModel& model) {
    World world{seed, model, folder_for(seed)};
    const auto faults_end = world.start() + 12h;
    Trouble trouble{world, seed, faults_end};
    trouble.plan();
    world.run_until(faults_end);
    world.heal();
    Run run;
    for (auto checked = faults_end + 10min; checked <= faults_end + 4h; checked += 10min) {
        world.run_until(checked);
        run.verdict = judge(world, model, faults_end);
        run.settled = checked - faults_end;
        if (run.verdict.good()) break;
    }
    run.faults = world.faults();
    run.radio = world.field().radio().counters();
    run.lost_answers = world.lost_answers();
    run.failed_calls = world.failed_calls();
    run.state = world.describe();
    run.trace = world.trace_hash();
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
    CHECK(run.verdict.expected >= 40 * 4 * 12);
    CHECK(run.faults.cuts + run.faults.silent_cuts > 0);
    CHECK(run.faults.meters_moved > 0);
}

}  // namespace

TEST_CASE("fleet: whatever breaks, every reading is stored once and right", "[fleet]") {
    const auto only = number_from("WATTMESH_SEED", 0);
    const auto seeds = number_from("WATTMESH_SEEDS", 10);
    for (std::uint64_t seed = only == 0 ? 1 : only; seed <= (only == 0 ? seeds : only); ++seed) {
        MemoryModel model;
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

TEST_CASE("fleet: a seed replays to the same trace", "[fleet]") {
    const auto seed = number_from("WATTMESH_SEED", 1);
    MemoryModel first, second;
    CHECK(play(seed, first).trace == play(seed, second).trace);
}

}  // namespace wattmesh::fleet
