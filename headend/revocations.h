#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "headend/database/query_queue.h"
#include "platform/loop.h"
#include "security/pki.h"

namespace wattmesh::headend {

/// Revoked concentrators, in memory because a TLS handshake asks: read from the database every two seconds.
class Revocations {
public:
    /// `revoked` runs on the loop for each number when it is first seen here.
    Revocations(platform::Loop& loop, database::QueryQueue& queue, std::function<void(DeviceNumber)> revoked);
    void start();
    void stop();
    /// Any thread.
    bool refuses(const security::CertificateFacts& certificate) const;

private:
    void look();

    platform::Loop& loop_;
    database::QueryQueue& queue_;
    std::function<void(DeviceNumber)> revoked_;
    platform::Timer timer_;
    Instant looked_{};
    mutable std::mutex mutex_;
    std::set<std::string> numbers_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend
