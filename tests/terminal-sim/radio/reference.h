#pragma once
#include <cstdint>

#include "terminal-sim/radio/layout.h"

namespace wattmesh::test {

/// The columns of the static reference table (terminal-sim/radio/README.md), of one seed.
struct Reference {
    double reach_percent = 0;  ///< with a way of at most 31 hops: the table is not cut at 15
    double degree = 0;         ///< neighbours a meter reaches with PRR > 0.9
    double grey_percent = 0;   ///< of the directed links above PRR 0.1 those below 0.9
    double hops_mean = 0, hops_p95 = 0, hops_max = 0;  ///< of cheapest ways
    double round_trip_etx = 0;
    double first_heard_ratio = 0;  ///< airtime of the fewest-hops tree whose parents are drawn ÷ the oracle's
    double sequential_s = 0, push_s = 0, merged_s = 0;
    double one_route_percent = 0,
           two_routes_percent = 0;  ///< first read; four tries per hop, each with a fade of its own
    double one_route_shared_percent = 0, two_routes_shared_percent = 0;  ///< the four tries share one fade
};
Reference measure(sim::LayoutKind kind, std::size_t meters, std::int32_t hardness_db, std::uint64_t seed,
                  bool with_reads);

}  // namespace wattmesh::test
