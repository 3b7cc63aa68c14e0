#pragma once
#include <memory>
#include <optional>

#include "headend/database/query_queue.h"
#include "headend/monitor/alarm_core.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::monitor {

/// One look at the database and what it makes of the alarms, in one transaction. Of several monitors one at a
/// time; the others find nothing to do. `more` are signs that the caller saw itself. How many alarms changed.
int look_after_alarms(database::Connection& connection, const std::vector<AlarmSign>& more, Instant now);

/// Looks every five seconds. What it needs to go on lies in the alarms themselves, so that a restart or
/// another monitor goes on where this one was.
class AlarmWatch {
public:
    AlarmWatch(platform::Loop& loop, database::QueryQueue& queue);
    void start() { look(); }
    void stop();

private:
    void look();
    void looked(std::optional<int> changed);

    platform::Loop& loop_;
    database::QueryQueue& queue_;
    platform::Log log_;
    platform::Timer timer_;
    std::optional<Instant> away_since_;  ///< the database, by simulated time
    std::vector<AlarmSign> trouble_;     ///< told until `trouble_until_`
    Instant trouble_until_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
