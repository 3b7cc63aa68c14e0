#pragma once
#include <filesystem>
#include <memory>
#include <mutex>

#include "headend/database/key_counters.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::database {

/// What this head-end remembers of reserved counters outside the database, in two small files: the number of
/// its newest reservation, and how far counters had jumped then. A database that was put back to an older
/// state (a restored dump, a copy of its folder, a machine's snapshot) cannot know that itself; here it
/// shows, because it hands out a reservation number that was there before. Then every counter jumps, farther
/// than ever before, before the first block is given out.
///
/// Also jumps once when there are no files: then nothing is remembered. What it cannot see: reservations that
/// another head-end made, with files of its own; for those the database's identity stands (KeyCounters) and
/// `headend restored`. Thread safe.
class CounterHorizon {
public:
    /// Opens `folder`/reservations and `folder`/raised, which stay locked; makes them at the first
    /// reservation when they are not there. Throws security::FileError.
    explicit CounterHorizon(std::filesystem::path folder);
    /// Memory only: for tests of what stands above it.
    CounterHorizon();
    ~CounterHorizon();

    /// Like KeyCounters::reserve.
    std::optional<CounterBlock> reserve(Connection& connection, MeterId meter, KeyPurpose purpose,
                                        std::uint32_t count, Instant now);

private:
    void catch_up(Connection& connection, const CounterBlock& old);
    void open();

    std::mutex mutex_;  ///< two reservations must be remembered in the order they were made
    std::filesystem::path folder_;
    /// Numbers of reservations, and jumps: each accepts what is above all before. Null: nothing remembered.
    std::unique_ptr<CounterStore> reservations_, raised_;
};

}  // namespace wattmesh::headend::database
