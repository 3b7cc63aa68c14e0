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
    /// Remembers the highest value accepted from the meter.
    void received(MeterId meter, KeyPurpose purpose, std::uint32_t counter);

private:
    void jump_after_restore();

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
