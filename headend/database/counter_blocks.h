#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "headend/database/counter_horizon.h"
#include "headend/database/query_queue.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::database {

/// The management client's counters for a loop thread, which must not wait for the database: blocks are
/// fetched by refill() on a worker thread, before an association; next(), accept() and raise() then only
/// touch memory. What was accepted is written behind. A raise above the block in hand leaves it empty, and
/// the next refill() makes the raise durable.
class CounterBlocks {
public:
    static constexpr std::uint32_t block_size = 256, low = 128;

    /// `queue` writes what was accepted; both outlive this object.
    CounterBlocks(QueryQueue& queue, CounterHorizon& horizon) : queue_(queue), horizon_(horizon) {}

    /// Worker thread: reserves a block when fewer than `low` values are left. False when the counter is used
    /// up.
    bool refill(Connection& connection, DeviceNumber number, MeterId meter, Instant now);
    /// Loop thread; lives as long as this object. next() gives nothing where refill() was not called or the
    /// block is used up.
    CounterStore& of(DeviceNumber number);
    /// The same, for what the meter sends unasked: a push is opened when its turn comes, perhaps after
    /// answers that the meter gave later. So accept() also takes each of the `late_max` values below the
    /// highest once, if it was not accepted before; after a restart, of those none. next() and raise() are
    /// of().
    CounterStore& unasked(DeviceNumber number);
    static constexpr std::uint32_t late_max = 64;

private:
    class Counter;
    class Unasked;
    std::shared_ptr<Counter> counter(DeviceNumber number);

    QueryQueue& queue_;
    CounterHorizon& horizon_;
    std::mutex mutex_;
    std::map<DeviceNumber, std::shared_ptr<Counter>> counters_;
    std::map<DeviceNumber, std::unique_ptr<CounterStore>> unasked_;  ///< each refers to its counter
};

}  // namespace wattmesh::headend::database
