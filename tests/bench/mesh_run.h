#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/mesh/frame.h"
#include "terminal-sim/radio/layout.h"
#include "tests/bench/baseline/baseline.h"
#include "tests/bench/mesh_exchange.h"
#include "tests/bench/plot/chart.h"

namespace wattmesh::bench {

/// What is measured, with the names of the JSON lines; definitions stand in terminal-sim/radio/README.md.
enum class Metric : std::uint8_t {
    join_t99_s,
    join_t100_s,
    warm_t95_s,
    warm_t100_s,
    first_read_success,
    first_read_success_installed,
    round_s,
    round_merged_s,
    bound_b1_s,
    bound_b3_s,
    complete_15min,
    stretch_mean,
    stretch_p95,
    control_s_per_node_h,
    repair_in_transaction,
    repair_s_p99,
    parent_changes_per_node_day,
    loops,
    ghost_joins,
    false_deletions,
    false_evictions,
    apdu_bytes_down,
    apdu_bytes_up,
    hops_mean,
    hops_max,
    sim_speed,
    oracle_s,
    count
};
constexpr std::size_t metrics = static_cast<std::size_t>(Metric::count);
struct MetricName {
    const char* name;
    bool high_is_bad;
};
const MetricName& metric_name(std::size_t metric);

struct Options {
    sim::LayoutRequest request{.kind = sim::LayoutKind::urban, .meters = 500, .hardness_db = 6};
    mesh::PhyRate rate = mesh::PhyRate::kbit50;
    int seed_first = 101, seed_last = 103;
    std::optional<Rival> rival;  ///< in place of our own protocol
    double hours = 1;            ///< steady: one round of reads every quarter of an hour
};

/// What the plots show of one seed.
struct Curves {
    std::vector<double> joined_s;  ///< since the common power-on: joined, and answered one read
    std::vector<double> reads_s;   ///< of answered first reads, from handing over to the answer
    std::size_t reads = 0;         ///< first reads, answered or not
    std::vector<Station> map;      ///< after forming
    double root_x_m = 0, root_y_m = 0;
};

/// One seed. A metric without a value was not reached in time, or is not measured yet.
struct Outcome {
    std::array<std::optional<double>, metrics> of;
    std::size_t reachable = 0, joined = 0;
    std::optional<double>
        tree_cost_ratio;  ///< of all routes after forming to the oracle's, on long-run means
    std::uint64_t trace = 0;
    Curves curves;
    std::optional<double>& operator[](Metric metric) { return of[static_cast<std::size_t>(metric)]; }
};
/// `steady_only`: forming and reading, nothing dies.
Outcome run(const Options& options, int seed, const Exchange& exchange, bool steady_only = false);

}  // namespace wattmesh::bench
