// ops/bench routes [--nodes N] [--links N] [--seed N]: the concentrator's route engine on a random town. One
// JSON line: tree_ms (all primary routes), alternatives_ms (another way for every meter), disjoint_share
// (alternatives that share no relay, of the meters that have relays), each time the median of rounds.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

#include "concentrator/mesh/route_engine.h"

namespace {

using namespace wattmesh::concentrator;

struct Options {
    std::size_t nodes = 2'000, links = 24;
    unsigned seed = 101;
};

/// Everybody hears the `links` nearest; a link costs more the longer it is, and by chance.
RouteGraph town(const Options& options) {
    std::mt19937 chance{options.seed};
    const double side = 10 * std::sqrt(static_cast<double>(options.nodes));
    std::uniform_real_distribution<double> place{0, side}, luck{1, 2};
    std::vector<std::pair<double, double>> places(options.nodes);
    for (auto& [x, y] : places) x = place(chance), y = place(chance);
    places[0] = {side / 2, side / 2};
    RouteGraph graph;
    graph.edges.resize(options.nodes);
    graph.relay_cost.assign(options.nodes, 0);
    for (std::size_t a = 0; a < options.nodes; ++a) {
        std::vector<std::pair<double, std::uint16_t>> near;
        for (std::size_t b = 0; b < options.nodes; ++b)
            if (a != b)
                near.emplace_back(
                    std::hypot(places[a].first - places[b].first, places[a].second - places[b].second),
                    static_cast<std::uint16_t>(b));
        std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(options.links),
                          near.end());
        for (std::size_t i = 0; i < options.links; ++i)
            graph.edges[a].push_back({near[i].second, static_cast<std::uint32_t>(20'000 * luck(chance) *
                                                                                 (1 + near[i].first / 10))});
    }
    return graph;
}

template <class Work>
double median_ms(Work work) {
    std::vector<double> times;
    for (int round = 0; round < 7; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::ranges::nth_element(times, times.begin() + 3);
    return times[3];
}

Options parse(int count, char** words) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const unsigned long value = std::strtoul(words[i + 1], nullptr, 10);
        if (std::strcmp(words[i], "--nodes") == 0)
            options.nodes = std::clamp(value, 2UL, 32'000UL);
        else if (std::strcmp(words[i], "--links") == 0)
            options.links = value;
        else if (std::strcmp(words[i], "--seed") == 0)
            options.seed = static_cast<unsigned>(value);
    }
    options.links = std::clamp(options.links, std::size_t{1}, options.nodes - 1);
    return options;
}

}  // namespace

int main(int count, char** words) {
    const Options options = parse(count, words);
    const RouteGraph graph = town(options);
    RouteTree tree;
    const double tree_ms = median_ms([&] { tree = RouteTree{graph}; });
    std::vector<Route> others(options.nodes);
    const auto all = static_cast<std::uint16_t>(options.nodes);
    const double alternatives_ms = median_ms([&] {
        for (std::uint16_t target = 1; target < all; ++target)
            if (tree.reaches(target)) others[target] = tree.alternative(target, tree.route(target));
    });
    std::size_t reached = 0, relayed = 0, disjoint = 0, hops = 0;
    for (std::uint16_t target = 1; target < all; ++target) {
        if (!tree.reaches(target)) continue;
        ++reached;
        const Route route = tree.route(target);
        hops += route.hops();
        if (route.relays.empty()) continue;
        ++relayed;
        disjoint += std::ranges::none_of(
            route.relays, [&](auto relay) { return std::ranges::count(others[target].relays, relay) != 0; });
    }
    std::printf(
        "{\"nodes\":%zu,\"links\":%zu,\"reached\":%zu,\"hops_mean\":%.2f,\"tree_ms\":%.3f,\"alternatives_"
        "ms\":%.2f,"
        "\"disjoint_share\":%.4f}\n",
        options.nodes, options.links, reached, static_cast<double>(hops) / static_cast<double>(reached),
        tree_ms, alternatives_ms,
        static_cast<double>(disjoint) / static_cast<double>(std::max<std::size_t>(relayed, 1)));
}
