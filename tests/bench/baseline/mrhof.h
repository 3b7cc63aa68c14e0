#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "protocol/base/time.h"

namespace wattmesh::bench {

/// Choice of a parent by least ETX with hysteresis: RFC 6719 with Contiki-NG's RPL-Lite values. ETX in units
/// of 1/128.
class Mrhof {
public:
    static constexpr std::uint16_t infinite = 0xFFFF, rank_root = 128;
    static constexpr int etx_one = 128, etx_first = 2 * etx_one, etx_no_answer = 12 * etx_one;
    static constexpr int link_max = 4 * etx_one, path_max = 32'768;
    static constexpr int threshold = 192;                   ///< 1.5 ETX better: at once
    static constexpr Duration threshold_time{600'000'000};  ///< or better for ten minutes
    static constexpr std::size_t neighbours_max = 16;

    void heard(std::uint16_t from, std::uint16_t rank, Instant now) {
        if (!rows_.contains(from)) {
            if (rows_.size() >= neighbours_max && !make_room()) return;
            rows_[from].tried = now;
        }
        rows_[from].rank = rank;
    }
    /// EWMA, alpha 0.25 while it is new and 0.1 afterwards; an exchange without ACK counts twelve.
    void exchanged(std::uint16_t with, bool acknowledged, int tries, Instant now) {
        const auto row = rows_.find(with);
        if (row == rows_.end()) return;
        const int sample = acknowledged ? tries * etx_one : etx_no_answer;
        const int alpha = row->second.fresh < 4 ? 25 : 10;
        row->second.etx += (sample - row->second.etx) * alpha / 100;
        row->second.fresh = std::min(row->second.fresh + 1, 4);
        row->second.tried = now;
    }
    std::uint16_t rank_through(std::uint16_t neighbour) const {
        const auto row = rows_.find(neighbour);
        return row == rows_.end() ? infinite
                                  : static_cast<std::uint16_t>(std::min(cost(row->second), 0xFFFF));
    }
    void clear() { rows_.clear(); }
    /// Who it shall be, given who it is and how far we are: nobody who is as far as we are.
    std::optional<std::uint16_t> choose(std::optional<std::uint16_t> parent, std::uint16_t rank_own,
                                        Instant now) {
        std::optional<std::uint16_t> best;
        for (const auto& [address, row] : rows_)
            if (acceptable(row) && row.rank < rank_own && (!best || cost(row) < cost(rows_.at(*best))))
                best = address;
        if (!best || !parent || *best == *parent) {
            better_since_ = never;
            return best;
        }
        const auto held = rows_.find(*parent);
        if (held == rows_.end() || !acceptable(held->second) || held->second.rank >= rank_own) return best;
        if (better_since_ == never) better_since_ = now;
        const bool much = cost(held->second) - cost(rows_.at(*best)) > threshold;
        if (!much && now - better_since_ < threshold_time) return parent;
        better_since_ = never;
        return best;
    }
    /// Of those who could be parents, the one not tried longest.
    std::optional<std::uint16_t> stalest() const {
        std::optional<std::uint16_t> found;
        for (const auto& [address, row] : rows_)
            if (row.rank != infinite && (!found || row.tried < rows_.at(*found).tried)) found = address;
        return found;
    }

private:
    struct Row {
        std::uint16_t rank = infinite;
        int etx = etx_first, fresh = 0;
        Instant tried{};
    };
    static int cost(const Row& row) { return row.rank == infinite ? 0x10000 : row.rank + row.etx; }
    static bool acceptable(const Row& row) {
        return row.rank != infinite && row.etx <= link_max && cost(row) <= path_max;
    }
    bool make_room() {
        const auto worst = std::max_element(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
            return cost(a.second) < cost(b.second);
        });
        if (acceptable(worst->second)) return false;
        rows_.erase(worst);
        return true;
    }
    std::map<std::uint16_t, Row> rows_;
    Instant better_since_ = never;
};

}  // namespace wattmesh::bench
