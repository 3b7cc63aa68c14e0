#pragma once
#include <memory>
#include <string>

#include "headend/database/audit_mark.h"
#include "headend/database/query_queue.h"
#include "platform/log.h"
#include "platform/loop.h"

namespace wattmesh::headend::monitor {

/// Chains committed audit records, twice a second, and keeps the chain's end outside the database. When what
/// the database has does not go on from there it says so once, in the log and in the audit log, and leaves
/// the mark, so that `headend audit verify` keeps failing until somebody has looked.
class AuditSealer {
public:
    AuditSealer(platform::Loop& loop, database::QueryQueue& queue, database::AuditMark mark);
    void start() { seal(); }
    void stop();

private:
    void seal();

    platform::Loop& loop_;
    database::QueryQueue& queue_;
    const database::AuditMark mark_;
    platform::Log log_;
    platform::Timer timer_;
    bool told_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
