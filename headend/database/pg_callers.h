#pragma once
#include "headend/database/query_queue.h"
#include "headend/frontend/caller_ports.h"

namespace wattmesh::headend::database {

/// frontend::CallerDirectory on PostgreSQL.
class PgCallers : public frontend::CallerDirectory {
public:
    explicit PgCallers(QueryQueue& queue) : queue_(queue) {}
    void open_caller(DeviceNumber number, Instant now,
                     std::function<void(std::optional<frontend::SessionOpened>)> done) override;

private:
    QueryQueue& queue_;
};

}  // namespace wattmesh::headend::database
