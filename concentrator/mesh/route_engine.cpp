#include "concentrator/mesh/route_engine.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>

namespace wattmesh::concentrator {
namespace {
constexpr std::uint32_t avoided_link_factor = 6;
}

RouteTree::RouteTree(const RouteGraph& graph)
    : cost_(graph.edges.size(), unreached),
      before_(graph.edges.size(), 0),
      hops_(graph.edges.size(), 0),
      relay_cost_(graph.relay_cost),
      in_begin_(graph.edges.size() + 1, 0) {
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
    turn(graph);
}

/// Who leads to a vertex, sorted by vertex.
void RouteTree::turn(const RouteGraph& graph) {
    for (const auto& row : graph.edges)
        for (const auto& edge : row) ++in_begin_[edge.to + 1U];
    std::partial_sum(in_begin_.begin(), in_begin_.end(), in_begin_.begin());
    in_.resize(in_begin_.back());
    std::vector<std::uint32_t> place(in_begin_.begin(), in_begin_.end() - 1);
    for (std::size_t from = 0; from < graph.edges.size(); ++from)
        for (const auto& edge : graph.edges[from])
            in_[place[edge.to]++] = {static_cast<std::uint16_t>(from), edge.cost};
}

Route RouteTree::route(std::uint16_t target) const {
    Route route;
    route.cost = cost_[target];
    for (auto at = before_[target]; at != 0 && route.relays.size() < hops_max; at = before_[at])
        route.relays.push_back(at);
    std::reverse(route.relays.begin(), route.relays.end());
    return route;
}

/// From the target back to the root.
struct RouteTree::Search {
    struct Vertex {
        std::uint64_t cost = unreached;  ///< from here to the target, penalties included
        std::uint16_t after = 0;         ///< next on that way
        std::uint16_t avoided = 0;       ///< where the link goes that is to be avoided, if it begins here
        std::uint8_t hops = 0;
        bool shared = false, begins_avoided = false;
    };

    Search(const RouteTree& of, std::uint16_t towards, const Route& other)
        : tree(of), target(towards), relay_penalty(other.cost), vertices(of.cost_.size()) {
        std::uint16_t at = mesh::root_address;
        const auto mark = [&](std::uint16_t next) {
            if (at < vertices.size()) vertices[at].avoided = next, vertices[at].begins_avoided = true;
            at = next;
        };
        for (const auto relay : other.relays) {
            mark(relay);
            if (relay < vertices.size()) vertices[relay].shared = true;
        }
        mark(target);
    }

    /// Of the way on from `from` over its link to `to`; unreached when there is none.
    std::uint64_t step(const EdgeIn& edge, std::uint16_t to) const {
        const auto from = edge.from;
        if (from == target || tree.cost_[from] == unreached) return unreached;
        const Vertex& vertex = vertices[from];
        std::uint64_t sum = edge.cost;
        if (vertex.begins_avoided && vertex.avoided == to) sum *= avoided_link_factor;
        if (from == mesh::root_address) return sum;
        if (tree.relay_cost_[from] == relay_forbidden) return unreached;
        return sum + tree.relay_cost_[from] + (vertex.shared ? relay_penalty : 0);
    }

    void run() {
        using Item = std::pair<std::uint64_t, std::uint16_t>;
        std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
        vertices[target].cost = 0;
        open.emplace(tree.cost_[target], target);
        while (!open.empty()) {
            const auto [bound, at] = open.top();
            open.pop();
            if (at == mesh::root_address) return;
            const Vertex& here = vertices[at];
            if (bound != here.cost + tree.cost_[at]) continue;
            for (auto i = tree.in_begin_[at]; i < tree.in_begin_[at + 1U]; ++i) {
                const auto from = tree.in_[i].from;
                Vertex& there = vertices[from];
                // A vertex whose way is cheaper already needs no look at penalties.
                if (here.cost + tree.in_[i].cost >= there.cost) continue;
                const std::uint64_t more = step(tree.in_[i], at);
                if (more == unreached || here.cost + more >= there.cost) continue;
                // No way over here can be cheaper than one to the root that is known.
                const std::uint64_t least = here.cost + more + tree.cost_[from];
                if (least >= vertices[mesh::root_address].cost) continue;
                if (here.hops + 1U + tree.hops_[from] > hops_max) continue;
                there.cost = here.cost + more;
                there.after = at;
                there.hops = static_cast<std::uint8_t>(here.hops + 1);
                open.emplace(least, from);
            }
        }
    }

    const RouteTree& tree;
    std::uint16_t target;
    std::uint64_t relay_penalty;
    std::vector<Vertex> vertices;
};

Route RouteTree::alternative(std::uint16_t target, const Route& avoid) const {
    if (!reaches(target) || target == mesh::root_address) return {};
    Search search{*this, target, avoid};
    search.run();
    if (search.vertices[mesh::root_address].cost == unreached) return {};
    Route route;
    for (auto at = mesh::root_address;;) {
        const auto next = search.vertices[at].after;
        const auto* edge = std::find_if(in_.data() + in_begin_[next], in_.data() + in_begin_[next + 1U],
                                        [&](const EdgeIn& in) { return in.from == at; });
        route.cost += edge->cost + (at == mesh::root_address ? 0 : relay_cost_[at]);
        if (next == target) return route;
        route.relays.push_back(next);
        at = next;
    }
}

}  // namespace wattmesh::concentrator
