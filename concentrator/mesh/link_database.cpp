#include "concentrator/mesh/link_database.h"

#include <algorithm>

#include "protocol/mesh/link_estimator.h"

namespace wattmesh::concentrator {
namespace {
using namespace std::chrono_literals;
constexpr Duration block_first = 60s, block_max = 3'600s, doubt_life = 120s;
constexpr std::uint32_t blocked_factor = 8, blocked_once_factor = 3, etx_unknown_q7 = 128 * 8,
                        etx_one_q4 = 16;
constexpr int reverse_margin_db = 3, untried_margin_db = 5;
constexpr std::size_t links_max = 64;
const std::vector<Link> none;

auto position(auto& row, std::uint16_t to) {
    return std::lower_bound(row.begin(), row.end(), to,
                            [](const Link& a, std::uint16_t b) { return a.to < b; });
}
}  // namespace

Link& LinkDatabase::link(std::uint16_t from, std::uint16_t to) {
    if (links_.size() <= from) links_.resize(from + 1U);
    auto& row = links_[from];
    auto at = position(row, to);
    if (at != row.end() && at->to == to) return *at;
    if (row.size() >= links_max && from != mesh::root_address) {
        row.erase(std::min_element(row.begin(), row.end(),
                                   [](const Link& a, const Link& b) { return a.updated < b.updated; }));
        at = position(row, to);
    }
    return *row.insert(at, Link{.to = to});
}

void LinkDatabase::report(std::uint16_t reporter, const mesh::LinkEntry& entry, Instant now) {
    if (entry.neighbour > mesh::short_address_max || reporter > mesh::short_address_max ||
        entry.neighbour == reporter)
        return;
    strength(entry.neighbour, reporter, entry.rssi_dbm, now);
    if (entry.etx_q4 == 0) return;
    Link& out = link(reporter, entry.neighbour);
    if (out.etx_q4 != entry.etx_q4) ++revision_;
    out.etx_q4 = out.told_q4 = entry.etx_q4;
    out.updated = now;
}

void LinkDatabase::strength(std::uint16_t from, std::uint16_t to, std::int8_t rssi_dbm, Instant now) {
    Link& heard = link(from, to);
    if (std::abs(heard.rssi_dbm - rssi_dbm) >= 2) {
        heard.rssi_dbm =
            heard.rssi_dbm == 0 ? rssi_dbm : static_cast<std::int8_t>((heard.rssi_dbm + rssi_dbm) / 2);
        ++revision_;
    }
    heard.updated = now;
    link(to, from);  // the way back exists too, if only as a guess
}

void LinkDatabase::failed(std::uint16_t from, std::uint16_t to, Instant now) {
    Link* known = find_mutable(from, to);
    if (known == nullptr) return;
    Link& out = *known;
    out.failures = static_cast<std::uint8_t>(std::min(out.failures + 1, 7));
    const auto known_q4 =
        out.etx_q4 != 0 ? std::uint32_t{out.etx_q4} : std::max(etx_q7(from, to, now) / 8, etx_one_q4);
    out.etx_q4 = static_cast<std::uint8_t>(std::min(known_q4 * 2, 255U));
    out.blocked_until = now + std::min<Duration>(block_first * (1 << (out.failures - 1)), block_max);
    out.updated = now;
    ++revision_;
}

void LinkDatabase::doubt(std::uint16_t from, std::uint16_t to, Instant now) {
    Link* known = find_mutable(from, to);
    if (known == nullptr) return;
    Link& out = *known;
    if (now >= out.doubted_until) out.doubts = 0;
    out.doubts = static_cast<std::uint8_t>(std::min(out.doubts + 1, 4));
    out.doubted_until = now + doubt_life;
    out.updated = now;
    ++revision_;
}

void LinkDatabase::worked(std::uint16_t from, std::uint16_t to, Instant now) {
    Link* known = find_mutable(from, to);
    if (known == nullptr) return;
    Link& out = *known;
    const auto settled_q4 = out.told_q4 != 0 ? std::uint32_t{out.told_q4} : etx_one_q4;
    const bool dearer = out.etx_q4 > settled_q4;
    if (out.failures != 0 || out.doubts != 0 || dearer) ++revision_;
    if (dearer) out.etx_q4 = static_cast<std::uint8_t>(std::max(out.etx_q4 / 2U, settled_q4));
    out.failures = out.doubts = 0;
    out.blocked_until = {};
    out.updated = now;
}

void LinkDatabase::forget(std::uint16_t address) {
    if (address < links_.size()) links_[address].clear();
    for (auto& row : links_) std::erase_if(row, [&](const Link& l) { return l.to == address; });
    ++revision_;
}

const Link* LinkDatabase::find(std::uint16_t from, std::uint16_t to) const {
    if (from >= links_.size()) return nullptr;
    const auto& row = links_[from];
    const auto at = position(row, to);
    return at != row.end() && at->to == to ? &*at : nullptr;
}

Link* LinkDatabase::find_mutable(std::uint16_t from, std::uint16_t to) {
    return const_cast<Link*>(find(from, to));
}

const std::vector<Link>& LinkDatabase::from(std::uint16_t address) const {
    return address < links_.size() ? links_[address] : none;
}

std::uint32_t LinkDatabase::etx_q7(std::uint16_t from, std::uint16_t to, Instant now) const {
    const Link* out = find(from, to);
    if (out == nullptr) return 0;
    std::uint32_t etx = etx_unknown_q7;
    if (out->etx_q4 != 0) {
        etx = out->etx_q4 * 8U;
    } else {
        const Link* back = find(to, from);
        std::int8_t rssi = out->rssi_dbm;
        if (rssi == 0 && back != nullptr && back->rssi_dbm != 0)
            rssi = static_cast<std::int8_t>(std::max(back->rssi_dbm - reverse_margin_db, -127));
        // Of many strengths heard once the best are picked, and those were lucky ones.
        if (rssi != 0)
            etx = mesh::LinkEstimator{static_cast<std::int8_t>(std::max(rssi - untried_margin_db, -127))}
                      .etx_q7();
    }
    if (out->doubted_until > now) etx += etx * out->doubts / 2;
    if (out->blocked_until <= now) return etx;
    return etx * (out->failures > 1 ? blocked_factor : blocked_once_factor);
}

}  // namespace wattmesh::concentrator
