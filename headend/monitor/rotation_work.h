#pragma once
#include <memory>
#include <set>

#include "headend/database/key_rotations.h"
#include "headend/database/query_queue.h"
#include "headend/monitor/key_rotator.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::monitor {

struct RotationWorkSettings {
    int at_once = 4;                               ///< meters
    Duration look_real = std::chrono::seconds{2};  ///< between looks for new orders
    /// After a first trouble; then twice as long each time, up to the second.
    Duration again = std::chrono::minutes{1}, again_max = std::chrono::hours{1};
    /// An order belongs to one process for this long, and to anybody after a crash. Above what an attempt
    /// takes at most: KeyRotator::time_max, and four exchanges of the errand in hand.
    Duration claim = std::chrono::minutes{30};
    int attempts_max = 12;  ///< then the order ends with its trouble
};

/// When an order that stopped is tried again; nothing when it had its attempts. `attempts`: so far, this one
/// too.
std::optional<Duration> try_again(const RotationWorkSettings& settings, int attempts);

/// Does the orders in the table key_rotation, also those that an earlier process left half done. Timers on
/// the loop, the database on the queue's threads.
class RotationWork {
public:
    /// The references outlive this object.
    RotationWork(platform::Loop& loop, const RotationWorkSettings& settings, database::QueryQueue& queue,
                 KeyRotator& rotator);
    ~RotationWork();
    void start();
    void stop();

private:
    void look();
    void begin(const database::KeyRotationOrder& order);
    void ended(const database::KeyRotationOrder& order, const std::string& trouble);

    platform::Loop& loop_;
    RotationWorkSettings settings_;
    database::QueryQueue& queue_;
    KeyRotator& rotator_;
    platform::Log log_;
    platform::Timer timer_;
    std::set<DeviceNumber> open_;
    bool looking_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
