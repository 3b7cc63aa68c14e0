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

/// Cheapest ways from the root to everybody (Dijkstra). Pure and deterministic: equal costs go to the lower
/// address.
class RouteTree {
public:
    static constexpr std::size_t hops_max = mesh::relays_max + 1;
    RouteTree() = default;
    explicit RouteTree(const RouteGraph& graph);
    bool reaches(std::uint16_t target) const { return target < cost_.size() && cost_[target] != unreached; }
    /// Only for a reached target.
    Route route(std::uint16_t target) const;
    std::uint64_t cost(std::uint16_t target) const { return cost_[target]; }

private:
    static constexpr std::uint64_t unreached = ~std::uint64_t{0};
    std::vector<std::uint64_t> cost_;
    std::vector<std::uint16_t> before_;
    std::vector<std::uint8_t> hops_;
};

/// A way as different from `avoid` as the map allows: its relays and links cost several times as much. Empty
/// relays and cost 0 when the target cannot be reached at all.
Route alternative(const RouteGraph& graph, std::uint16_t target, const Route& avoid);

}  // namespace wattmesh::concentrator
