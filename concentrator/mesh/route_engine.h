#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"

namespace wattmesh::concentrator {

/// One way to a meter: relays from the root's side, target not in it.
struct Route {
    std::vector<std::uint16_t> relays;
    std::uint64_t cost = 0;
    std::size_t hops() const { return relays.size() + 1; }
    friend bool operator==(const Route&, const Route&) = default;
};

/// The map the routes are made on. Vertices are short addresses, 0 is the root.
struct RouteGraph {
    struct Edge {
        std::uint16_t to;
        std::uint32_t cost;
    };
    std::vector<std::vector<Edge>> edges;
    std::vector<std::uint32_t>
        relay_cost;  ///< added when a route goes on through this vertex; relay_forbidden: never
};
inline constexpr std::uint32_t relay_forbidden = 0xFFFFFFFF;

/// Cheapest ways from the root to everybody (Dijkstra), and for each of them another way. Pure and
/// deterministic: equal costs go to the lower address. Keeps what it needs of the graph.
class RouteTree {
public:
    static constexpr std::size_t hops_max = mesh::relays_max + 1;
    RouteTree() = default;
    explicit RouteTree(const RouteGraph& graph);
    bool reaches(std::uint16_t target) const { return target < cost_.size() && cost_[target] != unreached; }
    /// Only for a reached target.
    Route route(std::uint16_t target) const;
    std::uint64_t cost(std::uint16_t target) const { return cost_[target]; }
    /// A way that shares as few relays with `avoid` as the map allows, unless each relay less costs as much
    /// as the whole of `avoid`; its links are avoided less. `cost` is without these penalties. Empty relays
    /// and cost 0 when the target cannot be reached. A search from the target back (A*, bounded below by the
    /// tree's costs) that looks at a small part of the map only.
    Route alternative(std::uint16_t target, const Route& avoid) const;

private:
    void turn(const RouteGraph& graph);
    struct Search;
    struct EdgeIn {
        std::uint16_t from;
        std::uint32_t cost;
    };
    static constexpr std::uint64_t unreached = ~std::uint64_t{0};
    std::vector<std::uint64_t> cost_;
    std::vector<std::uint16_t> before_;
    std::vector<std::uint8_t> hops_;
    std::vector<std::uint32_t> relay_cost_;
    std::vector<std::uint32_t> in_begin_;  // of each vertex in in_; one more at the end
    std::vector<EdgeIn> in_;
};

}  // namespace wattmesh::concentrator
