#include "tests/terminal-sim/radio/reference.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "terminal-sim/radio/oracle.h"

namespace wattmesh::test {
namespace {

using namespace sim;
constexpr int hops_uncut = 31, tries_per_hop = 4;
enum Stream : std::uint64_t { stale = 700, first_heard };

/// What the reads of one seed need: routes were made on the long-run means, each link is 3 dB (sigma) off by
/// the time it is used, and fades.
class Reads {
public:
    Reads(const Channel& channel, std::uint64_t seed)
        : channel_(channel), seed_(seed), data_(table(80)), ack_(table(22)) {
        for (std::size_t i = 0; i < Channel::fast_samples; ++i)
            ++fades_[(Channel::fast_sample(i) + 60'000) / 250 * 250 - 60'000];
    }
    struct Chance {
        double own = 1, shared = 1;  // every try a fade of its own; the four of a hop share one
    };
    /// Both directions of one hop.
    Chance hop(std::size_t a, std::size_t b) {
        const auto key = std::minmax(a, b);
        if (const auto known = hops_.find(key); known != hops_.end()) return known->second;
        const Chance there = direction(a, b), back = direction(b, a);
        return hops_[key] = {there.own * back.own, there.shared * back.shared};
    }

private:
    std::vector<double> table(std::size_t octets) const {
        std::vector<double> chances;
        for (Mdb sinr = -60'000; sinr <= 60'000; sinr += 50)
            chances.push_back(success_q16(bit_loss_q32(sinr + channel_.processing_gain()) * octets * 8) /
                              65'536.0);
        return chances;
    }
    static double at(const std::vector<double>& table, Mdb sinr) {
        return table[static_cast<std::size_t>((std::clamp(sinr, -60'000, 60'000) + 60'000) / 50)];
    }
    Chance direction(std::size_t from, std::size_t to) const {
        const auto link = std::min(from, to) << 32 | std::max(from, to);
        const Mdb off = 3'000 * normal_q10(static_cast<std::uint32_t>(keyed(seed_, stale, link))) / 1'024;
        const Mdb there = channel_.mean_mdbm(from, to) - channel_.noise_mdbm(to, Instant{}) + off;
        const Mdb back = channel_.mean_mdbm(to, from) - channel_.noise_mdbm(from, Instant{}) + off;
        double mean = 0, all_lost = 0;
        for (const auto& [fade, count] : fades_) {
            const double chance = at(data_, there + fade) * at(ack_, back + fade);
            const double weight = count / static_cast<double>(Channel::fast_samples);
            mean += weight * chance;
            all_lost += weight * std::pow(1 - chance, tries_per_hop);
        }
        return {1 - std::pow(1 - mean, tries_per_hop), 1 - all_lost};
    }

    const Channel& channel_;
    std::uint64_t seed_;
    std::vector<double> data_, ack_;
    std::map<Mdb, int> fades_;
    std::map<std::pair<std::size_t, std::size_t>, Chance> hops_;
};

std::vector<std::uint32_t> path(const Oracle::Tree& tree, std::uint32_t node) {
    std::vector<std::uint32_t> nodes{node};
    while (tree.hops[nodes.back()] > 0) nodes.push_back(tree.before[nodes.back()]);
    return nodes;
}

/// A flood heard without waiting: hop counts are the fewest, the parent is any of those one nearer.
std::vector<double> first_heard_costs(const Oracle& oracle, std::size_t meters, std::uint64_t seed) {
    std::vector<double> cost(meters + 1, -1);
    cost[meters] = 0;
    std::vector<std::size_t> ring{meters};
    while (!ring.empty()) {
        std::vector<std::pair<std::size_t, double>> next;
        for (std::size_t node = 0; node < meters; ++node) {
            if (cost[node] >= 0) continue;
            std::vector<std::size_t> heard;
            for (const auto from : ring)
                if (oracle.usable(from, node)) heard.push_back(from);
            if (heard.empty()) continue;
            const auto parent = heard[keyed(seed, first_heard, node) % heard.size()];
            next.emplace_back(node, cost[parent] + oracle.hop_cost_us(oracle.hop(parent, node)));
        }
        ring.clear();
        for (const auto& [node, price] : next) {
            cost[node] = price;
            ring.push_back(node);
        }
    }
    return cost;
}

/// The cheapest way that shares as little as it can with the first: its links cost six times as much, its
/// relays three times.
std::vector<std::uint32_t> second_way(
    const Oracle& oracle, std::size_t meters, const std::vector<std::uint32_t>& first,
    const std::vector<std::vector<std::pair<std::uint32_t, double>>>& edges) {
    std::vector<double> cost(meters + 1, -1);
    std::vector<std::uint32_t> before(meters + 1, 0);
    std::vector<bool> avoided(meters + 1, false), done(meters + 1, false);
    for (std::size_t i = 1; i + 1 < first.size(); ++i) avoided[first[i]] = true;
    const auto on_first = [&](std::uint32_t a, std::uint32_t b) {
        for (std::size_t i = 0; i + 1 < first.size(); ++i)
            if (first[i + 1] == a && first[i] == b) return true;
        return false;
    };
    using Item = std::pair<double, std::uint32_t>;
    std::vector<Item> open{{0, static_cast<std::uint32_t>(meters)}};
    cost[meters] = 0;
    while (!open.empty()) {
        std::pop_heap(open.begin(), open.end(), std::greater<>());
        const auto [price, from] = open.back();
        open.pop_back();
        if (done[from]) continue;
        done[from] = true;
        if (from == first.front()) break;
        for (const auto& [to, edge] : edges[from]) {
            if (to == meters) continue;
            const double through = price + edge * (on_first(from, to) ? 6 : 1) +
                                   (avoided[to] ? 3 * (oracle.request_us() + oracle.response_us()) : 0);
            if (cost[to] >= 0 && through >= cost[to]) continue;
            cost[to] = through;
            before[to] = from;
            open.emplace_back(through, to);
            std::push_heap(open.begin(), open.end(), std::greater<>());
        }
    }
    std::vector<std::uint32_t> nodes{first.front()};
    while (nodes.back() != meters) nodes.push_back(before[nodes.back()]);
    return nodes;
}

void degrees(const Oracle& oracle, std::size_t meters, Reference& found) {
    double good = 0, grey = 0, heard = 0;
    for (std::size_t a = 0; a < meters; ++a)
        for (std::size_t b = 0; b < meters; ++b) {
            if (a == b) continue;
            const double prr = oracle.prr(a, b);
            good += prr > 0.9 ? 1 : 0;
            heard += prr > 0.1 ? 1 : 0;
            grey += prr > 0.1 && prr < 0.9 ? 1 : 0;
        }
    found.degree = good / static_cast<double>(meters);
    found.grey_percent = 100 * grey / heard;
}

void reads(const Oracle& oracle, const Channel& channel, const Oracle::Tree& tree, std::uint64_t seed,
           Reference& found) {
    const std::size_t meters = channel.size() - 1;
    std::vector<std::vector<std::pair<std::uint32_t, double>>> edges(channel.size());
    for (std::uint32_t a = 0; a < channel.size(); ++a)
        for (std::uint32_t b = 0; b < a; ++b)
            if (oracle.usable(a, b)) {
                edges[a].emplace_back(b, oracle.hop_cost_us(oracle.hop(a, b)));
                edges[b].emplace_back(a, oracle.hop_cost_us(oracle.hop(b, a)));
            }
    Reads chances{channel, seed};
    const auto along = [&](const std::vector<std::uint32_t>& nodes) {
        Reads::Chance product;
        for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
            const auto hop = chances.hop(nodes[i + 1], nodes[i]);
            product.own *= hop.own;
            product.shared *= hop.shared;
        }
        return product;
    };
    double reached = 0;
    // Every meter's second way costs a Dijkstra: one in eight says enough.
    for (std::uint32_t node = static_cast<std::uint32_t>(seed % 8); node < meters; node += 8) {
        if (!tree.reaches(node)) continue;
        ++reached;
        const auto first = path(tree, node);
        const auto one = along(first), other = along(second_way(oracle, meters, first, edges));
        found.one_route_percent += one.own;
        found.one_route_shared_percent += one.shared;
        found.two_routes_percent += 1 - (1 - one.own) * (1 - other.own);
        found.two_routes_shared_percent += 1 - (1 - one.shared) * (1 - other.shared);
    }
    for (auto* column : {&found.one_route_percent, &found.one_route_shared_percent, &found.two_routes_percent,
                         &found.two_routes_shared_percent})
        *column *= 100 / std::max(reached, 1.0);
}

}  // namespace

Reference measure(LayoutKind kind, std::size_t meters, std::int32_t hardness_db, std::uint64_t seed,
                  bool with_reads) {
    const Layout town = layout(
        {.kind = kind, .meters = meters, .concentrators = 1, .seed = seed, .hardness_db = hardness_db});
    const Channel channel{town, seed, mesh::PhyRate::kbit50};
    const Oracle oracle{channel, meters, mesh::PhyRate::kbit50, reference_sizes};
    const Oracle::Tree tree = oracle.tree({}, hops_uncut);
    Reference found;
    degrees(oracle, meters, found);
    const auto first_heard = first_heard_costs(oracle, meters, seed);
    std::vector<int> hops;
    double ours_us = 0, theirs_us = 0;
    for (std::uint32_t node = 0; node < meters; ++node) {
        if (!tree.reaches(node)) continue;
        hops.push_back(tree.hops[node]);
        ours_us += tree.cost_us[node];
        theirs_us += first_heard[node];
        for (auto at = node; tree.hops[at] > 0; at = tree.before[at]) {
            const auto hop = oracle.hop(tree.before[at], at);
            found.round_trip_etx += 1 / hop.down + 1 / hop.up;
        }
    }
    const auto reached = static_cast<double>(hops.size());
    std::sort(hops.begin(), hops.end());
    found.reach_percent = 100 * reached / static_cast<double>(meters);
    for (const int count : hops) found.hops_mean += count / reached;
    found.hops_p95 = hops[static_cast<std::size_t>(0.95 * (reached - 1) + 0.5)];
    found.hops_max = hops.back();
    found.round_trip_etx /= reached;
    found.first_heard_ratio = theirs_us / ours_us;
    const auto bounds = oracle.bounds(tree);
    found.sequential_s = bounds.sequential_s;
    found.push_s = bounds.push_s;
    found.merged_s = bounds.merged_s;
    if (with_reads) reads(oracle, channel, tree, seed, found);
    return found;
}

}  // namespace wattmesh::test
