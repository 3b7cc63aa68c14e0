#include "concentrator/mesh/route_engine.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

namespace wattmesh::concentrator {
namespace {
constexpr std::uint32_t avoided_link_factor = 6, avoided_relay_factor = 3;
}

RouteTree::RouteTree(const RouteGraph& graph)
    : cost_(graph.edges.size(), unreached), before_(graph.edges.size(), 0), hops_(graph.edges.size(), 0) {
    if (cost_.empty()) return;
    using Item = std::tuple<std::uint64_t, std::uint16_t>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
    cost_[0] = 0;
    open.emplace(0, 0);
    while (!open.empty()) {
        const auto [cost, at] = open.top();
        open.pop();
        if (cost != cost_[at] || hops_[at] == hops_max) continue;
        const std::uint32_t passing = at == 0 ? 0 : graph.relay_cost[at];
        if (passing == relay_forbidden) continue;
        for (const auto& edge : graph.edges[at]) {
            const std::uint64_t through = cost + passing + edge.cost;
            if (edge.to == 0 || through >= cost_[edge.to]) continue;
            cost_[edge.to] = through;
            before_[edge.to] = at;
            hops_[edge.to] = static_cast<std::uint8_t>(hops_[at] + 1);
            open.emplace(through, edge.to);
        }
    }
}

Route RouteTree::route(std::uint16_t target) const {
    Route route;
    route.cost = cost_[target];
    for (auto at = before_[target]; at != 0 && route.relays.size() < hops_max; at = before_[at])
        route.relays.push_back(at);
    std::reverse(route.relays.begin(), route.relays.end());
    return route;
}

Route alternative(const RouteGraph& graph, std::uint16_t target, const Route& avoid) {
    RouteGraph changed = graph;
    std::vector<std::uint16_t> path = avoid.relays;
    path.insert(path.begin(), mesh::root_address);
    path.push_back(target);
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        if (path[i] >= changed.edges.size()) continue;
        for (auto& edge : changed.edges[path[i]])
            if (edge.to == path[i + 1]) edge.cost *= avoided_link_factor;
        const auto relay = path[i + 1];
        if (relay == target || relay >= changed.edges.size()) continue;
        std::uint32_t typical = 0;
        for (const auto& edge : changed.edges[relay])
            typical = typical == 0 ? edge.cost : std::min(typical, edge.cost);
        if (changed.relay_cost[relay] != relay_forbidden)
            changed.relay_cost[relay] += typical * avoided_relay_factor;
    }
    const RouteTree tree{changed};
    return tree.reaches(target) ? tree.route(target) : Route{};
}

}  // namespace wattmesh::concentrator
