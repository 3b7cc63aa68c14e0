#pragma once
#include "headend/database/query_queue.h"
#include "headend/monitor/clock_desk.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::monitor {

/// Orders "clock" jobs, one for each tenant, for meters whose rule says so; how many meters.
int order_corrections(database::Connection& connection, Instant now);

/// Asks every meter for its time as often as its rule says, a few at once, and orders corrections.
class ClockWatch {
public:
    /// The references outlive it.
    ClockWatch(platform::Loop& loop, database::QueryQueue& queue, ClockDesk& desk, std::function<void()> pump)
        : loop_(loop),
          queue_(queue),
          desk_(desk),
          pump_(std::move(pump)),
          log_("clocks"),
          timer_(loop),
          order_timer_(loop) {}
    void start();
    void stop();

private:
    void look();
    void order();
    void measure(DeviceNumber meter);

    platform::Loop& loop_;
    database::QueryQueue& queue_;
    ClockDesk& desk_;
    std::function<void()> pump_;
    platform::Log log_;
    platform::Timer timer_, order_timer_;
    int open_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
