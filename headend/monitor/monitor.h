#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "headend/database/query_queue.h"
#include "headend/monitor/desired.h"
#include "headend/monitor/gaps.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::monitor {

struct MonitorSettings {
    Plan plan;
    BackfillSettings backfill;
    Duration refresh_every = std::chrono::seconds{60};   ///< simulated
    Duration backfill_every = std::chrono::minutes{10};  ///< simulated
    Duration aggregate_real = std::chrono::seconds{2};
};

/// The monitor's standing work: desired state of concentrators, gaps, aggregates and partitions. Timers on
/// the loop, all of it done on the queues' threads.
class Monitor {
public:
    /// `bulk`: for what may take minutes (gaps, aggregates, validation), one thread, so that nobody waits
    /// behind it and no two rounds overlap. `configure` tells the front-end that a concentrator's desired
    /// state changed.
    Monitor(platform::Loop& loop, MonitorSettings settings, database::QueryQueue& queue,
            database::QueryQueue& bulk, const security::MasterKey& master, Ciphers& ciphers,
            std::function<void(DeviceNumber)> configure);
    ~Monitor();
    void start();
    void stop();
    /// Looks at the desired state now (a concentrator was enrolled, meters were imported).
    void refresh_soon();

private:
    void refresh();
    void look_for_gaps();
    void aggregate();
    void partition();

    platform::Loop& loop_;
    MonitorSettings settings_;
    database::QueryQueue& queue_;
    database::QueryQueue& bulk_;
    const security::MasterKey& master_;
    Ciphers& ciphers_;
    std::function<void(DeviceNumber)> configure_;
    platform::Log log_;
    platform::Timer refresh_timer_, gap_timer_, aggregate_timer_, partition_timer_;
    std::shared_ptr<Backfill> backfill_;
    std::set<std::string> told_;  ///< troubles that were logged already
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
