#include "tests/bench/baseline/strength_routes.h"

#include <algorithm>
#include <queue>

namespace wattmesh::bench {
namespace {
// A hop more is worse than any strength; a weak link is worse than two hops more.
constexpr int hop_cost = 1'000, weak_cost = 2'500;
}  // namespace

void StrengthRoutes::told(std::uint16_t by, std::uint16_t neighbour, int rssi_dbm) {
    const auto known = links_[by].find(neighbour);
    const auto both = links_[neighbour].find(by);
    if (known != links_[by].end() && both != links_[neighbour].end())
        rssi_dbm = std::min(rssi_dbm, both->second);
    links_[by][neighbour] = links_[neighbour][by] = rssi_dbm;
}

void StrengthRoutes::forget(std::uint16_t address) {
    for (const auto& [neighbour, rssi] : links_[address]) links_[neighbour].erase(address);
    links_.erase(address);
}

std::optional<std::vector<std::uint16_t>> StrengthRoutes::way(std::uint16_t target,
                                                              const std::set<std::uint16_t>& willing,
                                                              const std::set<std::uint16_t>& avoided) const {
    struct Best {
        int cost = 0;
        std::uint16_t before = 0;
    };
    using Item = std::pair<int, std::uint16_t>;
    std::map<std::uint16_t, Best> best{{0, {}}};
    std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
    open.emplace(0, 0);
    while (!open.empty()) {
        const auto [cost, at] = open.top();
        open.pop();
        if (at == target) break;
        if (cost != best[at].cost || (at != 0 && (!willing.contains(at) || avoided.contains(at)))) continue;
        const auto rows = links_.find(at);
        if (rows == links_.end()) continue;
        for (const auto& [to, rssi] : rows->second) {
            if (rssi < last_resort_dbm) continue;
            const int price = cost + hop_cost - rssi + (rssi < threshold_dbm ? weak_cost : 0);
            const auto known = best.find(to);
            if (known != best.end() && known->second.cost <= price) continue;
            best[to] = {price, at};
            open.emplace(price, to);
        }
    }
    if (!best.contains(target)) return std::nullopt;
    std::vector<std::uint16_t> relays;
    for (auto at = best[target].before; at != 0; at = best[at].before) relays.push_back(at);
    if (relays.size() > relays_max) return std::nullopt;
    std::reverse(relays.begin(), relays.end());
    return relays;
}

}  // namespace wattmesh::bench
