#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/dcu/journal.h"
#include "protocol/dcu/objects.h"
#include "protocol/mesh/network.h"

namespace wattmesh::concentrator {

/// What is known of a member's power.
enum class Power : std::uint8_t {
    on = 0,
    off = 1,       ///< it said so itself, or a neighbour for it
    inferred = 2,  ///< silent since others around it went dark
};

/// How it treats the packets of others (mesh_conduct.cpp).
struct Conduct {
    std::int32_t score_q4 = 0;  ///< up with every packet it took and that was not heard of again, down slowly
    Instant avoided_until{};    ///< relays only where there is no other way
    Instant banned_until{};     ///< may not join
    Instant trial_at = never;
    int evictions = 0;
};

struct Member {
    DeviceNumber number;
    bool listed = false;
    bool cloned = false;     ///< two devices have its number and key: neither is let in
    bool elsewhere = false;  ///< another concentrator has it, as far as the head-end has told us
    Key128 join_key;
    std::uint16_t address = 0;       ///< 0: none yet; kept over re-joins
    std::uint32_t join_counter = 0;  ///< highest accepted
    dcu::NodeState state = dcu::NodeState::unseen;
    Instant heard{}, asked{};  ///< last valid frame; last join request answered
    Instant proved{};          ///< last join or answered read over radio
    std::int8_t rssi_dbm = 0;  ///< as the first relay heard it
    int failed_reads = 0;
    Power power = Power::on;
    Instant dark_since{};  ///< when it was first taken to be without power
    Instant lost_at{};     ///< when it went offline
    Instant probe_at = never;
    int probes = 0;
    bool has_next_key = false;  ///< it said so
    Instant key_at{};           ///< when it may be given to it again
    int key_tries = 0;
    Conduct conduct;
    std::uint16_t sequence = 0;  ///< of the last request; over a restart, of the last there may have been
    std::uint16_t sequence_limit = 0;    ///< kept: none above it was used
    std::optional<dcu::MeterLink> told;  ///< what the last MeshJoined said
    Instant told_at{};
    // end-to-end answer time, microseconds; 0: not measured
    std::int64_t round_trip_us = 0, round_trip_deviation_us = 0;
};

/// White list, join counters and short addresses: who belongs to this mesh. Sorted by number.
class Membership {
public:
    enum class Verdict : std::uint8_t { accepted, unknown, not_authentic, replayed, full };
    struct Decision {
        Verdict verdict{};
        Member* member = nullptr;
    };

    /// Numbers that went away, or have another key now, are no clones any more. Those that went away keep
    /// their counter, so that an old request cannot be replayed when they come back. Returns the addresses of
    /// members that have to go.
    std::vector<std::uint16_t> set_listed(const std::vector<std::pair<DeviceNumber, Key128>>& meters);
    /// Checks list, MAC and counter; on accepted the counter is stored and an address assigned.
    Decision decide(const mesh::JoinRequest& request, std::uint16_t pan, Ciphers& ciphers);

    Member* find(DeviceNumber number);
    const Member* find(DeviceNumber number) const { return const_cast<Membership*>(this)->find(number); }
    Member* find(std::uint16_t address);
    const Member* find(std::uint16_t address) const { return const_cast<Membership*>(this)->find(address); }
    std::vector<Member>& all() { return members_; }
    const std::vector<Member>& all() const { return members_; }
    std::uint16_t address_top() const { return static_cast<std::uint16_t>(by_address_.size()); }

    /// Addresses are given out from here on, in a circle, so that one that was given back is the last to be
    /// used again: who was off the air, or joined after the state that we were restored from, still believes
    /// it is his. A start by chance keeps two lives of a root apart.
    void start_addresses(std::uint32_t chance) { next_address_ = chance; }
    /// Only number, counter, address, power: from stored state.
    void restore(DeviceNumber number, std::uint32_t join_counter, std::uint16_t address, Power power);
    void release(Member& member);
    /// Another address for a member that has one; false when there is none.
    bool renew(Member& member);

private:
    Member& insert(DeviceNumber number);
    bool assign(Member& member);
    void index();
    std::vector<Member> members_;
    std::uint32_t next_address_ = 0;
    std::vector<std::size_t> by_address_;  // position in members_ + 1; 0: free
};

}  // namespace wattmesh::concentrator
