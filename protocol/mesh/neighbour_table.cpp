#include "protocol/mesh/neighbour_table.h"

#include <algorithm>
#include <utility>

namespace wattmesh::mesh {
namespace {

using namespace std::chrono_literals;
constexpr Duration stale_after = 3'000s, block_first = 10s, block_max = 600s;
constexpr int rssi_gain_min_db = 3;
constexpr std::uint8_t parent_hops_max = 14;
constexpr int rank_tolerance_min = 3 * rank_per_transmission;

auto position(auto& rows, std::uint16_t address) {
    return std::lower_bound(rows.begin(), rows.end(), address,
                            [](const Neighbour& a, std::uint16_t b) { return a.address < b; });
}

}  // namespace

Neighbour* NeighbourTable::find(std::uint16_t address) {
    const auto row = position(rows_, address);
    return row != rows_.end() && row->address == address ? &*row : nullptr;
}
const Neighbour* NeighbourTable::find(std::uint16_t address) const {
    const auto row = position(rows_, address);
    return row != rows_.end() && row->address == address ? &*row : nullptr;
}

Neighbour* NeighbourTable::heard(std::uint16_t address, std::int8_t rssi_dbm, Instant now) {
    if (Neighbour* known = find(address)) {
        known->rssi_dbm = static_cast<std::int8_t>((known->rssi_dbm * 3 + rssi_dbm) / 4);
        known->heard = now;
        known->link.reseed(known->rssi_dbm);
        return known;
    }
    if (rows_.size() == size_max && !make_room(rssi_dbm, now)) return nullptr;
    Neighbour fresh;
    fresh.address = address;
    fresh.rssi_dbm = rssi_dbm;
    fresh.heard = now;
    fresh.link = LinkEstimator{rssi_dbm};
    return &*rows_.insert(position(rows_, address), fresh);
}

bool NeighbourTable::make_room(std::int8_t rssi_dbm, Instant now) {
    const auto best = parents(rank_infinite, now);
    const auto children =
        std::count_if(rows_.begin(), rows_.end(), [&](const Neighbour& n) { return n.child_until > now; });
    auto victim = rows_.end();
    for (auto row = rows_.begin(); row != rows_.end(); ++row) {
        const bool parent =
            std::find(best.begin(),
                      best.begin() + static_cast<std::ptrdiff_t>(std::min(best.size(), parents_max)),
                      row->address) !=
            best.begin() + static_cast<std::ptrdiff_t>(std::min(best.size(), parents_max));
        const bool child = row->child_until > now && static_cast<std::size_t>(children) <= children_max;
        if (parent || child) continue;
        if (now - row->heard > stale_after) {
            victim = row;
            break;
        }
        if (victim == rows_.end() || row->rssi_dbm < victim->rssi_dbm) victim = row;
    }
    if (victim == rows_.end()) return false;
    if (now - victim->heard <= stale_after && rssi_dbm < victim->rssi_dbm + rssi_gain_min_db) return false;
    rows_.erase(victim);
    return true;
}

void NeighbourTable::record(std::uint16_t address, int tries, bool acknowledged, Instant now) {
    Neighbour* neighbour = find(address);
    if (neighbour == nullptr || tries == 0) return;
    neighbour->link.record(tries, acknowledged);
    if (acknowledged) {
        neighbour->failures = 0;
        neighbour->heard = now;
        neighbour->blocked_until = {};
        return;
    }
    neighbour->failures = static_cast<std::uint8_t>(std::min(neighbour->failures + 1, 8));
    neighbour->blocked_until =
        now + std::min<Duration>(block_first * (1 << (neighbour->failures - 1)), block_max);
}

std::uint16_t NeighbourTable::rank_through(const Neighbour& neighbour) {
    if (neighbour.rank == rank_infinite) return rank_infinite;
    const std::uint32_t rank = neighbour.rank + neighbour.link.etx_q7();
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(rank, rank_infinite));
}

std::vector<std::uint16_t> NeighbourTable::parents(std::uint16_t rank_own, Instant now) const {
    std::vector<const Neighbour*> usable;
    for (const auto& row : rows_) {
        const bool nearer = row.rank < rank_own;
        const int tolerance = std::max<int>(rank_tolerance_min, rank_own / 2);
        const bool tolerated = row.rank < rank_own + tolerance && row.child_until <= now;
        if ((nearer || tolerated) && row.rank != rank_infinite && row.hops < parent_hops_max &&
            row.blocked_until <= now && rank_through(row) != rank_infinite)
            usable.push_back(&row);
    }
    std::sort(usable.begin(), usable.end(), [](const Neighbour* a, const Neighbour* b) {
        return std::pair{rank_through(*a), a->address} < std::pair{rank_through(*b), b->address};
    });
    std::vector<std::uint16_t> addresses;
    addresses.reserve(usable.size());
    for (const auto* neighbour : usable) addresses.push_back(neighbour->address);
    return addresses;
}

LinkEntry NeighbourTable::entry(const Neighbour& neighbour) {
    return {.neighbour = neighbour.address,
            .rssi_dbm = neighbour.rssi_dbm,
            .etx_q4 = neighbour.link.measured() ? neighbour.link.etx_q4() : std::uint8_t{0}};
}

std::vector<LinkEntry> NeighbourTable::report(std::uint16_t parent, std::size_t count_max) const {
    std::vector<const Neighbour*> order;
    order.reserve(rows_.size());
    for (const auto& row : rows_) order.push_back(&row);
    const auto stronger = [](const Neighbour* a, const Neighbour* b) {
        return std::pair{b->rssi_dbm, a->address} < std::pair{a->rssi_dbm, b->address};
    };
    const auto weight = [&](const Neighbour* n) {
        if (n->address == parent) return 0;
        return n->rank == rank_infinite ? 2 : 1;
    };
    std::sort(order.begin(), order.end(), [&](const Neighbour* a, const Neighbour* b) {
        if (weight(a) != weight(b)) return weight(a) < weight(b);
        if (weight(a) == 1 && rank_through(*a) != rank_through(*b))
            return rank_through(*a) < rank_through(*b);
        return stronger(a, b);
    });
    // Half of the room for the way up, the rest for the strongest of all: the root also looks for detours.
    std::vector<LinkEntry> entries;
    const std::size_t half = count_max / 2;
    for (std::size_t i = 0; i < order.size() && entries.size() < half; ++i)
        entries.push_back(entry(*order[i]));
    order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(entries.size()));
    std::sort(order.begin(), order.end(), stronger);
    for (std::size_t i = 0; i < order.size() && entries.size() < count_max; ++i)
        entries.push_back(entry(*order[i]));
    return entries;
}

void NeighbourTable::forget_ranks() {
    for (auto& row : rows_) row.rank = rank_infinite;
}

}  // namespace wattmesh::mesh
