#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/network.h"

namespace wattmesh::mesh {

/// A beacon a node without net key has heard. It cannot check the MIC: a hint, nothing more.
struct JoinCandidate {
    std::uint16_t pan = 0, address = 0;
    std::int8_t rssi_dbm = 0;
    Beacon beacon;
    Instant heard{};
    int failures = 0;  ///< requests over it that brought nothing
};

/// Whom a joining node may ask, and which PANs do not want it.
class JoinCandidates {
public:
    static constexpr std::size_t size_max = 12;
    void heard(const JoinCandidate& candidate);
    /// The cheapest way in; each failure over a neighbour counts like two transmissions more.
    std::optional<JoinCandidate> best(Instant now) const;
    void failed(std::uint16_t pan, std::uint16_t address);
    /// A request was carried up and nobody answered: other PANs first for a while.
    void unanswered(std::uint16_t pan, Instant now);
    std::vector<HeardNeighbour> strongest(std::uint16_t pan, std::size_t count_max) const;
    const std::vector<JoinCandidate>& all() const { return rows_; }
    void clear() { rows_.clear(); }

private:
    struct Shunned {
        std::uint16_t pan = 0;
        int times = 0;
        Instant until{};
    };
    std::int64_t cost(const JoinCandidate& row, Instant now) const;
    std::vector<JoinCandidate> rows_;
    std::vector<Shunned> shunned_;
};

}  // namespace wattmesh::mesh
