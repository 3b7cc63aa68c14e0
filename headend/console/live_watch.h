#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "headend/console/context.h"
#include "headend/console/live_hub.h"
#include "headend/database/read_changes.h"

namespace wattmesh::headend::console {

/// Looks at the database once a second and publishes what changed. It sees what every front-end process
/// stored, so the feed needs no wire to them. While the database is away it says nothing and tries on.
class LiveWatch {
public:
    LiveWatch(Context& context, LiveHub& hub);
    ~LiveWatch();
    LiveWatch(const LiveWatch&) = delete;
    LiveWatch& operator=(const LiveWatch&) = delete;

private:
    void run();
    void look();
    bool compare(const std::vector<database::ConcentratorMark>& marks);
    void look_for_alarms(database::Connection& connection);
    bool look_for_outages(database::Connection& connection, bool tell);

    Context& context_;
    LiveHub& hub_;
    std::map<DeviceNumber, database::ConcentratorMark> before_;
    std::map<std::pair<DeviceNumber, Instant>, bool> outages_;  ///< over?
    std::optional<Instant> seen_;
    std::optional<std::int64_t> alarm_note_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace wattmesh::headend::console
