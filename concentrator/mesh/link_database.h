#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/network.h"

namespace wattmesh::concentrator {

/// What the root knows of one directed link.
struct Link {
    std::uint16_t to = 0;
    std::int8_t rssi_dbm = 0;   ///< of our signal at `to`; 0: never told
    std::uint8_t etx_q4 = 0;    ///< as measured by the sender, and what has failed or worked since; 0: never
    std::uint8_t told_q4 = 0;   ///< the sender's last word; 0: none
    std::uint8_t failures = 0;  ///< reported dead so often in a row
    std::uint8_t doubts = 0;    ///< reads over it that stayed unanswered, cause unknown
    Instant blocked_until{}, doubted_until{}, updated{};
};

/// Links by short address (0 is the root). Told by join requests, link reports, answers, ACKs and route
/// errors.
class LinkDatabase {
public:
    /// `reporter` says: this is how I hear the neighbour, this is what it costs me to reach it.
    void report(std::uint16_t reporter, const mesh::LinkEntry& entry, Instant now);
    void strength(std::uint16_t from, std::uint16_t to, std::int8_t rssi_dbm, Instant now);
    /// These speak of links that are known; others are ignored. No ACK there: 60 s, doubled up to an hour,
    /// out of favour; never out of the map (mesh design 2.4). A failure also doubles the cost of the link,
    /// for rounds of reading are farther apart than blocks last; each success takes half of that back.
    void failed(std::uint16_t from, std::uint16_t to, Instant now);
    void doubt(std::uint16_t from, std::uint16_t to, Instant now);
    void worked(std::uint16_t from, std::uint16_t to, Instant now);
    void forget(std::uint16_t address);

    const Link* find(std::uint16_t from, std::uint16_t to) const;
    const std::vector<Link>& from(std::uint16_t address) const;
    std::size_t size() const { return links_.size(); }
    /// Expected transmissions x 128 from one to the other, penalties included; 0: no such link.
    std::uint32_t etx_q7(std::uint16_t from, std::uint16_t to, Instant now) const;
    /// Counts changes: routes made at another revision are old.
    std::uint64_t revision() const { return revision_; }

private:
    Link& link(std::uint16_t from, std::uint16_t to);
    Link* find_mutable(std::uint16_t from, std::uint16_t to);
    std::vector<std::vector<Link>> links_;  // by address; each sorted by `to`
    std::uint64_t revision_ = 0;
};

}  // namespace wattmesh::concentrator
