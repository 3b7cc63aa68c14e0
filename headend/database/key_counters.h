#pragma once
#include <cstdint>
#include <optional>

#include "headend/database/connection.h"
#include "headend/database/keys.h"

namespace wattmesh::headend::database {

/// Invocation counters of one (key, own title) of a meter, reserved for one process.
struct CounterBlock {
    std::uint32_t first = 0, last = 0;  ///< values to send with, both included
    std::int64_t received = -1;         ///< highest value accepted from the meter so far
    std::int32_t generation = 0;        ///< of the key, in this head-end's own count
};

/// Tables key_counter and server_identity. A block is durable before it is returned and is never returned
/// again:
///   - not after a crash, since it is reserved before use;
///   - not by another process, since the row is updated;
///   - not after a restore, since the database then has another system identifier or timeline and every
///   counter jumps by 2^20, and
///     since no counter stands below the seconds since 2024 (a copy of the data folder itself shows neither).
class KeyCounters {
public:
    explicit KeyCounters(Connection& connection) : connection_(connection) {}

    /// Owns its transaction. Nothing when the counter is used up (2^32): the meter needs new keys.
    std::optional<CounterBlock> reserve(MeterId meter, KeyPurpose purpose, std::uint32_t count, Instant now);
    /// Remembers the highest value accepted from the meter; does nothing when its key has been replaced since
    /// the block of `generation` was reserved.
    void received(MeterId meter, KeyPurpose purpose, std::uint32_t counter, std::int32_t generation);
    /// The meter has other keys, all purposes: it may count from the start again. Our own counters go on.
    void forget_received(MeterId meter);
    /// Nothing when no block was ever reserved.
    std::optional<std::int32_t> generation(MeterId meter, KeyPurpose purpose);

private:
    void jump_after_restore();

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
