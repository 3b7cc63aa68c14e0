#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace wattmesh::bench {

/// Field strengths as the nodes have told them, and the ways a central unit makes of them: fewest hops over
/// links above a threshold, the stronger ones where that leaves a choice.
class StrengthRoutes {
public:
    static constexpr std::size_t relays_max = 14;
    static constexpr int threshold_dbm = -96, last_resort_dbm = -103;

    void told(std::uint16_t by, std::uint16_t neighbour, int rssi_dbm);
    void forget(std::uint16_t address);
    /// Relays from the root (0), root side first, over none of `avoided`; only those in `willing` relay.
    std::optional<std::vector<std::uint16_t>> way(std::uint16_t target,
                                                  const std::set<std::uint16_t>& willing,
                                                  const std::set<std::uint16_t>& avoided = {}) const;
    /// Everybody who was ever told of.
    const std::map<std::uint16_t, std::map<std::uint16_t, int>>& all() const { return links_; }

private:
    std::map<std::uint16_t, std::map<std::uint16_t, int>> links_;  // both ways, the weaker word counts
};

}  // namespace wattmesh::bench
