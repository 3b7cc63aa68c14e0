#pragma once
#include <algorithm>
#include <array>

#include "protocol/sts/refusal.h"
#include "protocol/sts/token_time.h"

namespace wattmesh::sim {

/// The token identifiers that a meter took last. Tokens may come out of order as long as fewer newer ones
/// than this came between. Source: IEC 62055-41, 7.1.4; depth: what makers do.
class TidMemory {
public:
    static constexpr std::size_t depth = 50;

    /// none, old or used. A fresh memory takes everything above zero.
    sts::Refusal judge(sts::Tid tid) const {
        if (tid < tids_.front()) return sts::Refusal::old;
        return std::binary_search(tids_.begin(), tids_.end(), tid) ? sts::Refusal::used : sts::Refusal::none;
    }
    /// Of one that was judged none; the lowest goes.
    void store(sts::Tid tid) {
        const auto place = std::lower_bound(tids_.begin(), tids_.end(), tid);
        std::move(tids_.begin() + 1, place, tids_.begin());
        *(place - 1) = tid;
    }
    void forget() { tids_ = {}; }
    sts::Tid highest() const { return tids_.back(); }
    friend bool operator==(const TidMemory&, const TidMemory&) = default;

private:
    std::array<sts::Tid, depth> tids_{};  ///< ascending
};

}  // namespace wattmesh::sim
