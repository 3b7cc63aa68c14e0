#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "tests/concentrator/mesh/town.h"

/// bench_mesh --layout U|R --nodes N --hardness D --rate 10k|50k|100k --seeds A-B: cold join, then rounds of
/// one read per meter. One JSON line per seed on stdout, then one with medians and worsts.
namespace {

using namespace wattmesh;
using namespace std::chrono_literals;

struct Options {
    sim::LayoutRequest request{.kind = sim::LayoutKind::rural, .meters = 150};
    mesh::PhyRate rate = mesh::PhyRate::kbit50;
    int seed_first = 101, seed_last = 103, rounds = 3;
};
struct Outcome {
    double join_t50_s = -1, join_t99_s = -1, join_t100_s = -1, first_read_success = 0, round_s = 0,
           hops_mean = 0, sim_speed = 0;
    int hops_max = 0;
    std::size_t reachable = 0, joined = 0;
    std::uint64_t frames = 0, executed_twice = 0, trace = 0;
};

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

void form(test::Town& town, Outcome& outcome) {
    std::set<DeviceNumber> joined;
    const auto note = [&](std::size_t, const concentrator::MeshEvent& event, Instant at) {
        const auto* one = std::get_if<concentrator::MeshJoined>(&event);
        if (one == nullptr || !joined.insert(one->meter).second) return;
        const double t = seconds(at - test::town_start);
        const auto share = [&](double part) {
            return static_cast<double>(joined.size()) >= part * static_cast<double>(outcome.reachable);
        };
        if (outcome.join_t50_s < 0 && share(0.5)) outcome.join_t50_s = t;
        if (outcome.join_t99_s < 0 && share(0.99)) outcome.join_t99_s = t;
        if (outcome.join_t100_s < 0 && share(1.0)) outcome.join_t100_s = t;
    };
    outcome.reachable = town.layout.meters.size();
    town.run_until(town.now() + 3s, note);  // everybody is on now: ask the oracle
    const auto oracle = town.field->oracle_hops();
    outcome.reachable =
        static_cast<std::size_t>(std::count_if(oracle.begin(), oracle.end(), [](int h) { return h > 0; }));
    const Instant limit = town.now() + 1'800s;
    while (town.now() < limit && outcome.join_t100_s < 0) town.run_until(town.now() + 100ms, note);
    outcome.joined = joined.size();
}

/// As the metric is defined: one application read, deadline 10 s at 50 kbit/s and 30 s at 10; a few are
/// handed over at a time.
void read_round(test::Town& town, const std::vector<int>& oracle, Duration deadline, std::size_t& asked,
                std::size_t& good) {
    constexpr std::size_t handed_over_max = 3;
    std::set<std::uint32_t> open;
    auto& root = *town.roots[0];
    const Instant limit = town.now() + 900s;
    std::size_t next = 0;
    while ((next < oracle.size() || !open.empty()) && town.now() < limit) {
        while (next < oracle.size() && open.size() < handed_over_max) {
            if (oracle[next] != 0) {
                ++asked;
                open.insert(root.send(test::meter_number(next), Buffer(60, 7), 3, town.now(), deadline));
            }
            ++next;
        }
        town.run_until(town.now() + 10ms, [&](std::size_t, const concentrator::MeshEvent& event, Instant) {
            if (const auto* answer = std::get_if<concentrator::MeshAnswer>(&event))
                good += open.erase(answer->handle);
            if (const auto* failure = std::get_if<concentrator::MeshFailure>(&event))
                open.erase(failure->handle);
        });
    }
}

Outcome run(const Options& options, int seed) {
    const auto wall = std::chrono::steady_clock::now();
    auto request = options.request;
    request.seed = static_cast<std::uint64_t>(seed);
    test::Town town{request, {.seed = request.seed, .start = test::town_start, .rate = options.rate}};
    Outcome outcome;
    form(town, outcome);
    const auto oracle = town.field->oracle_hops();
    std::size_t asked = 0, good = 0;
    Duration reading{};
    for (int round = 0; round < options.rounds; ++round) {
        const Instant began = town.now();
        read_round(town, oracle, options.rate == mesh::PhyRate::kbit10 ? Duration{30s} : Duration{10s}, asked,
                   good);
        reading += town.now() - began;
        town.run_until(std::max(town.now(), began + 900s),
                       [](std::size_t, const concentrator::MeshEvent&, Instant) {});
    }
    outcome.first_read_success = asked == 0 ? 0 : static_cast<double>(good) / static_cast<double>(asked);
    outcome.round_s = seconds(reading) / options.rounds;
    int counted = 0;
    for (const auto& node : town.roots[0]->topology()) {
        if (node.hops == 0) continue;
        outcome.hops_max = std::max<int>(outcome.hops_max, node.hops);
        outcome.hops_mean += node.hops;
        ++counted;
    }
    outcome.hops_mean /= std::max(counted, 1);
    outcome.frames = town.field->counters().frames_sent;
    outcome.trace = town.field->trace_hash();
    const auto statistics = town.roots[0]->statistics();
    std::fprintf(stderr,
                 "seed %d: reads %llu first_try %llu alternative %llu failed %llu, frames %llu, delivered "
                 "%llu, lost %llu\n",
                 seed, static_cast<unsigned long long>(statistics.reads),
                 static_cast<unsigned long long>(statistics.reads_first_try),
                 static_cast<unsigned long long>(statistics.reads_alternative),
                 static_cast<unsigned long long>(statistics.reads_failed),
                 static_cast<unsigned long long>(outcome.frames),
                 static_cast<unsigned long long>(town.field->counters().frames_delivered),
                 static_cast<unsigned long long>(town.field->counters().frames_lost));
    for (std::size_t type = 1; type < 16; ++type)
        if (const auto count = town.field->counters().sent_by_type[type])
            std::fprintf(stderr, "  frames of type %zu: %llu\n", type,
                         static_cast<unsigned long long>(count));
    const auto nodes = town.field->node_counters();
    std::fprintf(stderr,
                 "join_requests %u joins %u beacons %u reports %u forwarded_up %u forwarded_down %u detours "
                 "%u route_errors %u loops_refused %u parent_changes %u orphaned %u dropped_up %u "
                 "repeated_requests %u join_tokens_refused %u\n",
                 nodes.join_requests, nodes.joins, nodes.beacons, nodes.reports, nodes.forwarded_up,
                 nodes.forwarded_down, nodes.detours, nodes.route_errors, nodes.loops_refused,
                 nodes.parent_changes, nodes.orphaned, nodes.dropped_up, nodes.repeated_requests,
                 nodes.join_tokens_refused);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
    outcome.sim_speed =
        seconds(town.now() - test::town_start) / 3600 * static_cast<double>(request.meters) / took;
    return outcome;
}

void print(const char* name, const char* value, const Outcome& o) {
    std::printf(
        "{\"%s\":\"%s\",\"reachable\":%zu,\"joined\":%zu,\"join_t50_s\":%.1f,\"join_t99_s\":%.1f,\"join_t100_"
        "s\":%.1f,"
        "\"first_read_success\":%.5f,\"round_s\":%.1f,\"hops_mean\":%.2f,\"hops_max\":%d,\"sim_speed\":%.0f,"
        "\"frames\":%llu,\"trace\":\"%016llx\"}\n",
        name, value, o.reachable, o.joined, o.join_t50_s, o.join_t99_s, o.join_t100_s, o.first_read_success,
        o.round_s, o.hops_mean, o.hops_max, o.sim_speed, static_cast<unsigned long long>(o.frames),
        static_cast<unsigned long long>(o.trace));
    std::fflush(stdout);
}

template <class Field>
double middle(std::vector<Outcome>& all, Field field, double at) {
    std::sort(all.begin(), all.end(),
              [&](const Outcome& a, const Outcome& b) { return a.*field < b.*field; });
    return all[static_cast<std::size_t>(at * static_cast<double>(all.size() - 1) + 0.5)].*field;
}

void summarise(std::vector<Outcome> all) {
    // A time that was never reached sorts as the worst.
    for (auto& o : all)
        for (auto field : {&Outcome::join_t50_s, &Outcome::join_t99_s, &Outcome::join_t100_s})
            if (o.*field < 0) o.*field = 9'999;
    for (const double at : {0.5, 1.0}) {
        std::printf(
            "{\"summary\":\"%s\",\"seeds\":%zu,\"join_t50_s\":%.1f,\"join_t99_s\":%.1f,\"join_t100_s\":%.1f,"
            "\"first_read_success\":%.5f,\"round_s\":%.1f,\"sim_speed\":%.0f}%s",
            at < 1 ? "median" : "worst", all.size(), middle(all, &Outcome::join_t50_s, at),
            middle(all, &Outcome::join_t99_s, at), middle(all, &Outcome::join_t100_s, at),
            middle(all, &Outcome::first_read_success, at < 1 ? at : 0), middle(all, &Outcome::round_s, at),
            middle(all, &Outcome::sim_speed, at < 1 ? at : 0), "\n");
    }
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string key = argv[i], value = argv[i + 1];
        if (key == "--layout" && (value == "U" || value == "R"))
            options.request.kind = static_cast<sim::LayoutKind>(value[0]);
        else if (key == "--nodes")
            options.request.meters = static_cast<std::size_t>(std::atoi(value.c_str()));
        else if (key == "--hardness")
            options.request.hardness_db = std::atoi(value.c_str());
        else if (key == "--rounds")
            options.rounds = std::max(1, std::atoi(value.c_str()));
        else if (key == "--rate" && (value == "10k" || value == "50k" || value == "100k"))
            options.rate = value == "10k"   ? mesh::PhyRate::kbit10
                           : value == "50k" ? mesh::PhyRate::kbit50
                                            : mesh::PhyRate::kbit100;
        else if (key == "--seeds") {
            const auto dash = value.find('-');
            options.seed_first = std::atoi(value.c_str());
            options.seed_last =
                dash == std::string::npos ? options.seed_first : std::atoi(value.c_str() + dash + 1);
        } else
            return false;
    }
    return argc % 2 == 1 && options.request.meters > 0 && options.seed_last >= options.seed_first;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!parse(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: bench_mesh [--layout U|R] [--nodes N] [--hardness DB] [--rate 10k|50k|100k] "
                     "[--seeds A-B] [--rounds N]\n");
        return 2;
    }
    std::vector<Outcome> all;
    for (int seed = options.seed_first; seed <= options.seed_last; ++seed) {
        all.push_back(run(options, seed));
        print("seed", std::to_string(seed).c_str(), all.back());
    }
    summarise(all);
    return 0;
}
