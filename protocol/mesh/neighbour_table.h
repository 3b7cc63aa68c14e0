#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/link_estimator.h"
#include "protocol/mesh/network.h"

namespace wattmesh::mesh {

struct Neighbour {
    std::uint16_t address = 0;
    std::int8_t rssi_dbm = 0;            ///< smoothed, as heard here
    std::uint16_t rank = rank_infinite;  ///< from its last beacon
    std::uint8_t hops = 0;
    Instant heard{}, beacon_heard{};
    Instant child_until{};  ///< we carried something from or to it
    Instant blocked_until{};
    std::uint8_t key = 0;           ///< id of the one it was last heard under
    std::uint8_t failures = 0;      ///< exchanges in a row that got no ACK
    std::int8_t told_rssi_dbm = 0;  ///< what the root was told last; 0: nothing yet
    std::uint8_t told_etx_q4 = 0;
    LinkEstimator link;
};

/// At most 24 neighbours, sorted by address; parents and children keep their place (mesh design 2: node
/// state).
class NeighbourTable {
public:
    static constexpr std::size_t size_max = 24, children_max = 8, parents_max = 4;

    Neighbour* find(std::uint16_t address);
    const Neighbour* find(std::uint16_t address) const;
    /// Null when the table is full of better ones.
    Neighbour* heard(std::uint16_t address, std::int8_t rssi_dbm, Instant now);
    /// Outcome of an exchange with a neighbour; blocks it for a while after repeated silence (at once when it
    /// never answered): 10 s, doubled up to 10 min. One silent exchange says more about the moment than about
    /// the link.
    void record(std::uint16_t address, int tries, bool acknowledged, Instant now);

    /// Best first: usable as parent now. Its rank is below `rank_own`, or a little above and it is no child
    /// of ours: a parent's rank may rise without cutting everybody off; what loops this lets through, the
    /// rank in the frames finds.
    std::vector<std::uint16_t> parents(std::uint16_t rank_own, Instant now) const;
    /// Rank through this neighbour; infinite when it has none.
    static std::uint16_t rank_through(const Neighbour& neighbour);

    /// The parent first, then other parents, then the strongest.
    std::vector<LinkEntry> report(std::uint16_t parent, std::size_t count_max) const;
    static LinkEntry entry(const Neighbour& neighbour);
    /// What the root does not know yet, the parent (always in it) first: links never told or changed by 6 dB
    /// or a third of their cost. They count as told.
    std::vector<LinkEntry> news(std::uint16_t parent, std::size_t count_max);
    bool has_news() const;
    /// The root asks to hear everything again.
    void untell();
    const std::vector<Neighbour>& all() const { return rows_; }
    void forget_ranks();
    void clear() { rows_.clear(); }

private:
    bool make_room(std::int8_t rssi_dbm, Instant now);
    std::vector<Neighbour> rows_;
};

}  // namespace wattmesh::mesh
