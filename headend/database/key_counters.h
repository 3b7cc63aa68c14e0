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
    std::uint32_t reservation = 0;  ///< number of this reservation: rises, unless the database was put back
    std::uint32_t raised = 0;       ///< by how much counters have jumped
};

/// Tables key_counter and server_identity. A block is durable before it is returned and is never returned
/// again:
///   - not after a crash, since it is reserved before use;
///   - not by another process, since the row is updated;
///   - not after a restore that shows in the database: another system identifier or timeline (a promoted
///   copy, a
///     recovery), another database, or a table that was made anew; then every counter jumps by 2^20, also
///     those the copy does not know of;
///   - no counter stands below the seconds since 2024.
/// What does not show in the database shows to CounterHorizon, which is what a program uses.
class KeyCounters {
public:
    static constexpr std::uint32_t counter_max = 4'294'967'295;

    explicit KeyCounters(Connection& connection) : connection_(connection) {}

    /// Owns its transaction. Nothing when the counter is used up (2^32): the meter needs new keys.
    std::optional<CounterBlock> reserve(MeterId meter, KeyPurpose purpose, std::uint32_t count, Instant now);
    static constexpr std::uint32_t jump_size = 1 << 20;
    /// Owns its transaction. Every counter jumps by jump_size, or by more until `raised` is reached; numbers
    /// of reservations go on above `reservation`.
    void jump(std::uint32_t raised = 0, std::uint32_t reservation = 0);
    /// Later blocks begin at `next` or above; never downwards. For a meter that says it accepted more than we
    /// know of.
    void raise(MeterId meter, KeyPurpose purpose, std::uint32_t next);
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
