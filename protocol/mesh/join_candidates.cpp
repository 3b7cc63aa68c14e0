#include "protocol/mesh/join_candidates.h"

#include <algorithm>

#include "protocol/mesh/link_estimator.h"

namespace wattmesh::mesh {
namespace {
using namespace std::chrono_literals;
constexpr Duration candidate_life = 120s, shun_first = 30s, shun_max = 1'920s;
constexpr int unanswered_min = 2;
constexpr std::size_t shunned_max = 8;
constexpr std::int64_t shunned_cost = 1'000'000;
}  // namespace

void JoinCandidates::heard(const JoinCandidate& candidate) {
    const auto known = std::find_if(rows_.begin(), rows_.end(), [&](const JoinCandidate& row) {
        return row.pan == candidate.pan && row.address == candidate.address;
    });
    if (known != rows_.end()) {
        known->rssi_dbm = static_cast<std::int8_t>((known->rssi_dbm + candidate.rssi_dbm) / 2);
        known->beacon = candidate.beacon;
        known->heard = candidate.heard;
        return;
    }
    if (rows_.size() == size_max) {
        const auto worst =
            std::max_element(rows_.begin(), rows_.end(), [&](const JoinCandidate& a, const JoinCandidate& b) {
                return cost(a, candidate.heard) < cost(b, candidate.heard);
            });
        if (cost(*worst, candidate.heard) <= cost(candidate, candidate.heard)) return;
        rows_.erase(worst);
    }
    rows_.push_back(candidate);
}

std::int64_t JoinCandidates::cost(const JoinCandidate& row, Instant now) const {
    std::int64_t cost = row.beacon.rank + std::int64_t{LinkEstimator{cautious(row.rssi_dbm)}.etx_q7()};
    cost += std::int64_t{row.failures} * 2 * rank_per_transmission;
    const bool shunned = std::any_of(shunned_.begin(), shunned_.end(), [&](const Shunned& s) {
        return s.pan == row.pan && s.times >= unanswered_min && s.until > now;
    });
    return shunned ? cost + shunned_cost : cost;
}

std::optional<JoinCandidate> JoinCandidates::best(Instant now) const {
    const JoinCandidate* best = nullptr;
    for (const auto& row : rows_) {
        if (now - row.heard > candidate_life || row.beacon.rank == rank_infinite) continue;
        if (best == nullptr || cost(row, now) < cost(*best, now)) best = &row;
    }
    if (best == nullptr) return std::nullopt;
    return *best;
}

void JoinCandidates::failed(std::uint16_t pan, std::uint16_t address) {
    for (auto& row : rows_)
        if (row.pan == pan && row.address == address) ++row.failures;
}

void JoinCandidates::unanswered(std::uint16_t pan, Instant now) {
    auto known =
        std::find_if(shunned_.begin(), shunned_.end(), [&](const Shunned& s) { return s.pan == pan; });
    if (known == shunned_.end()) {
        if (shunned_.size() == shunned_max) shunned_.erase(shunned_.begin());
        known = shunned_.insert(shunned_.end(), Shunned{.pan = pan});
    }
    ++known->times;
    known->until = now + std::min<Duration>(shun_first * (1 << std::min(known->times, 8)), shun_max);
}

std::vector<HeardNeighbour> JoinCandidates::strongest(std::uint16_t pan, std::size_t count_max) const {
    std::vector<HeardNeighbour> list;
    for (const auto& row : rows_)
        if (row.pan == pan) list.push_back({row.address, row.rssi_dbm});
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
        return std::pair{b.rssi_dbm, a.address} < std::pair{a.rssi_dbm, b.address};
    });
    if (list.size() > count_max) list.resize(count_max);
    return list;
}

}  // namespace wattmesh::mesh
