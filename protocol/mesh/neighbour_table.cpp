#include "protocol/mesh/neighbour_table.h"

#include <algorithm>
#include <utility>

namespace wattmesh::mesh {
namespace {

using namespace std::chrono_literals;
constexpr Duration stale_after = 3'000s, block_first = 10s, block_max = 600s;
constexpr int rssi_gain_min_db = 3, news_db = 6;
constexpr std::uint8_t parent_hops_max = relays_max;
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
        known->link.reseed(cautious(known->rssi_dbm));
        return known;
    }
    if (rows_.size() == size_max && !make_room(rssi_dbm, now)) return nullptr;
    Neighbour fresh;
    fresh.address = address;
    fresh.rssi_dbm = rssi_dbm;
    fresh.heard = now;
    fresh.link = LinkEstimator{cautious(rssi_dbm)};
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
    const int silences = neighbour->failures - (neighbour->link.answered() ? 1 : 0);
    if (silences <= 0) return;
    neighbour->blocked_until = now + std::min<Duration>(block_first * (1 << (silences - 1)), block_max);
}

std::uint16_t NeighbourTable::rank_through(const Neighbour& neighbour) {
    if (neighbour.rank == rank_infinite) return rank_infinite;
    const std::uint32_t rank = neighbour.rank + neighbour.link.etx_q7();
    return rank > rank_max ? rank_infinite : static_cast<std::uint16_t>(rank);
}

std::vector<std::uint16_t> NeighbourTable::parents(std::uint16_t rank_own, Instant now) const {
    std::vector<const Neighbour*> usable;
    for (const auto& row : rows_) {
        const bool nearer = row.rank < rank_own;
        const int tolerance = std::max<int>(rank_tolerance_min, rank_own / 2);
        const bool tolerated = row.rank < rank_own + tolerance && row.child_until <= now;
        if ((nearer || tolerated) && row.rank != rank_infinite && row.hops <= parent_hops_max &&
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

namespace {
bool is_news(const Neighbour& neighbour) {
    if (neighbour.told_rssi_dbm == 0) return true;
    const auto now = NeighbourTable::entry(neighbour);
    if (std::abs(now.rssi_dbm - neighbour.told_rssi_dbm) >= news_db) return true;
    if (now.etx_q4 == 0 || neighbour.told_etx_q4 == 0) return now.etx_q4 != neighbour.told_etx_q4;
    return std::abs(now.etx_q4 - neighbour.told_etx_q4) * 3 > neighbour.told_etx_q4;
}
}  // namespace

bool NeighbourTable::has_news() const { return std::any_of(rows_.begin(), rows_.end(), is_news); }

void NeighbourTable::untell() {
    for (auto& row : rows_) row.told_rssi_dbm = 0;
}

std::vector<LinkEntry> NeighbourTable::news(std::uint16_t parent, std::size_t count_max) {
    std::vector<LinkEntry> entries;
    const auto tell = [&](const LinkEntry& link) {
        Neighbour& row = *find(link.neighbour);
        row.told_rssi_dbm = link.rssi_dbm;
        row.told_etx_q4 = link.etx_q4;
        entries.push_back(link);
    };
    for (const auto& link : report(parent, rows_.size()))
        if (entries.size() < count_max && (link.neighbour == parent || is_news(*find(link.neighbour))))
            tell(link);
    return entries;
}

void NeighbourTable::forget_ranks() {
    for (auto& row : rows_) row.rank = rank_infinite;
}

}  // namespace wattmesh::mesh
