#pragma once
#include "headend/database/counter_blocks.h"
#include "headend/database/query_queue.h"
#include "headend/monitor/key_rotator.h"
#include "headend/monitor/meter_security.h"

namespace wattmesh::headend::monitor {

/// Desk of rotations on the database: each step on a thread of the queue, which has the keys in clear only
/// while it builds a protection.
class PgRotationDesk final : public RotationDesk {
public:
    /// The references outlive this object.
    PgRotationDesk(SystemTitle own, database::QueryQueue& queue, const MeterSecurity& security,
                   database::CounterBlocks& counters, Ciphers& ciphers, std::function<Instant()> now)
        : own_title_(own),
          queue_(queue),
          security_(security),
          counters_(counters),
          ciphers_(ciphers),
          now_(std::move(now)) {}
    void sit(const RotationOrder& order, Work work, std::function<void(std::string)> done) override;
    void refused(const RotationOrder& order, const std::string& why) override;

private:
    std::string take_seat(database::Connection& connection, const RotationOrder& order, const Work& work,
                          Instant now);

    SystemTitle own_title_;
    database::QueryQueue& queue_;
    const MeterSecurity& security_;
    database::CounterBlocks& counters_;
    Ciphers& ciphers_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::monitor
