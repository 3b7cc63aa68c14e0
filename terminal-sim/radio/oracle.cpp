#include "terminal-sim/radio/oracle.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace wattmesh::sim {
namespace {

constexpr Mdb sinr_min = -10'000, sinr_max = 45'000, sinr_step = 50;
constexpr std::size_t tested_octets = 80;  // what "usable" is measured with
constexpr double usable_chance = 0.25;
// A link weaker than this in the long run is below a usable one by three sigmas of slow fading.
constexpr Mdb candidate_sinr = -2'000;
constexpr std::size_t join_octets = 70;
// Long-run values are those of a time without evening noise: 12:00 UTC.
constexpr Instant noon{Duration{43'200'000'000}};

double turnaround_us(mesh::PhyRate rate) { return rate == mesh::PhyRate::kbit10 ? 2'000 : 1'000; }
double airtime_us(std::size_t octets, mesh::PhyRate rate) {
    return static_cast<double>(octets) * 8e6 / static_cast<double>(mesh::bits_per_second(rate));
}

}  // namespace

MeanReception::MeanReception(std::size_t octets, Mdb gain) {
    std::map<Mdb, int> fades;  // rounded to whole steps: far fewer than samples
    for (std::size_t i = 0; i < Channel::fast_samples; ++i) {
        const Mdb fade = Channel::fast_sample(i);
        ++fades[(fade >= 0 ? fade + sinr_step / 2 : fade - sinr_step / 2) / sinr_step * sinr_step];
    }
    for (Mdb sinr = sinr_min; sinr <= sinr_max; sinr += sinr_step) {
        double sum = 0;
        for (const auto& [fade, count] : fades)
            sum += count * static_cast<double>(success_q16(bit_loss_q32(sinr + fade + gain) * octets * 8));
        chance_.push_back(static_cast<float>(sum / 65'536 / static_cast<double>(Channel::fast_samples)));
    }
}

double MeanReception::chance(Mdb mean_sinr) const {
    const Mdb within = std::clamp(mean_sinr, sinr_min, sinr_max);
    return chance_[static_cast<std::size_t>((within - sinr_min) / sinr_step)];
}

Oracle::Oracle(const Channel& channel, std::size_t roots, mesh::PhyRate rate, ReadSizes sizes)
    : channel_(channel),
      roots_(roots),
      rate_(rate),
      sizes_(sizes),
      request_(sizes.request_tested, channel.processing_gain()),
      response_(sizes.response_tested, channel.processing_gain()),
      tested_(tested_octets, channel.processing_gain()),
      acknowledge_(sizes.acknowledge, channel.processing_gain()) {
    const double around = airtime_us(sizes.acknowledge, rate) + 2 * turnaround_us(rate);
    request_us_ = airtime_us(sizes.request, rate) + around;
    response_us_ = airtime_us(sizes.response, rate) + around;
    for (std::uint32_t a = 0; a < channel.size(); ++a)
        for (std::uint32_t b = a + 1; b < channel.size(); ++b)
            if (std::min(sinr(a, b), sinr(b, a)) >= candidate_sinr) candidates_.push_back(channel.link(a, b));
    look(std::nullopt);
}

Mdb Oracle::sinr(std::size_t from, std::size_t to) const {
    if (!at_) return channel_.mean_mdbm(from, to) - channel_.noise_mdbm(to, noon);
    return channel_.slow_mdbm(from, to, *at_) - channel_.noise_mdbm(to, *at_);
}

void Oracle::look(std::optional<Instant> at) {
    at_ = at;
    edges_.assign(channel_.size(), {});
    for (auto& link : candidates_) {
        const auto a = link.from, b = link.to;
        const Mdb there =
            (at ? channel_.slow_mdbm(link, *at) : link.mean) - channel_.noise_mdbm(b, at.value_or(noon));
        const Mdb back = there - channel_.mean_mdbm(a, b) + channel_.mean_mdbm(b, a) +
                         channel_.noise_mdbm(b, at.value_or(noon)) -
                         channel_.noise_mdbm(a, at.value_or(noon));  // one path, two radios
        const double ack_there = acknowledge_.chance(there), ack_back = acknowledge_.chance(back);
        if (tested_.chance(there) * ack_back < usable_chance ||
            tested_.chance(back) * ack_there < usable_chance)
            continue;
        const auto down = [&](Mdb forth, double ack) {
            return static_cast<float>(request_.chance(forth) * ack);
        };
        const auto up = [&](Mdb forth, double ack) {
            return static_cast<float>(response_.chance(forth) * ack);
        };
        edges_[a].push_back({b, down(there, ack_back), up(back, ack_there)});
        edges_[b].push_back({a, down(back, ack_there), up(there, ack_back)});
    }
}

Oracle::Hop Oracle::hop(std::size_t from, std::size_t to) const {
    const Mdb there = sinr(from, to), back = sinr(to, from);
    return {request_.chance(there) * acknowledge_.chance(back),
            response_.chance(back) * acknowledge_.chance(there)};
}

bool Oracle::usable(std::size_t a, std::size_t b) const {
    const Mdb there = sinr(a, b), back = sinr(b, a);
    return tested_.chance(there) * acknowledge_.chance(back) >= usable_chance &&
           tested_.chance(back) * acknowledge_.chance(there) >= usable_chance;
}

double Oracle::prr(std::size_t from, std::size_t to) const { return tested_.chance(sinr(from, to)); }

Oracle::Tree Oracle::tree(const std::vector<bool>& alive, int hops) const {
    const auto lives = [&](std::size_t node) { return alive.empty() || alive[node]; };
    Tree tree{std::vector<double>(edges_.size(), -1), std::vector<std::uint32_t>(edges_.size(), 0),
              std::vector<int>(edges_.size(), 0)};
    using Item = std::pair<double, std::uint32_t>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
    for (auto root = roots_; root < edges_.size(); ++root) {
        if (!lives(root)) continue;
        tree.cost_us[root] = 0;
        open.emplace(0, static_cast<std::uint32_t>(root));
    }
    while (!open.empty()) {
        const auto [cost, from] = open.top();
        open.pop();
        if (cost > tree.cost_us[from] || tree.hops[from] >= hops) continue;
        for (const auto& link : edges_[from]) {
            if (link.to >= roots_ || !lives(link.to)) continue;
            const double through = cost + request_us_ / static_cast<double>(link.down) +
                                   response_us_ / static_cast<double>(link.up);
            if (tree.cost_us[link.to] >= 0 && through >= tree.cost_us[link.to]) continue;
            tree.cost_us[link.to] = through;
            tree.before[link.to] = from;
            tree.hops[link.to] = tree.hops[from] + 1;
            open.emplace(through, link.to);
        }
    }
    return tree;
}

Oracle::Bounds Oracle::bounds(const Tree& tree) const {
    Bounds bounds;
    std::size_t reached = 0;
    double sequential_us = 0, push_us = 0, merged_us = 0, one_way = 0;
    const double around = airtime_us(sizes_.acknowledge, rate_) + 2 * turnaround_us(rate_);
    const double merged_share =
        (airtime_us(sizes_.merged, rate_) + around) / static_cast<double>(sizes_.readings_merged);
    for (std::uint32_t node = 0; node < roots_; ++node) {
        if (!tree.reaches(node)) continue;
        ++reached;
        sequential_us += tree.cost_us[node];
        auto last = node;
        while (tree.hops[last] > 1) last = tree.before[last];
        const double tries = 1 / hop(tree.before[last], last).up;
        one_way += tries;
        push_us += tries * response_us_;
        // a neighbour of the root has nothing to merge with
        merged_us += tries * (tree.hops[node] == 1 ? response_us_ : std::min(merged_share, response_us_));
    }
    bounds.sequential_s = sequential_us / 1e6;
    bounds.push_s = push_us / 1e6;
    bounds.merged_s = merged_us / 1e6;
    bounds.information_s = airtime_us(sizes_.payload, rate_) * static_cast<double>(reached) / 1e6;
    bounds.join_s = 2 * one_way * (airtime_us(join_octets, rate_) + around) / 1e6;
    return bounds;
}

}  // namespace wattmesh::sim
