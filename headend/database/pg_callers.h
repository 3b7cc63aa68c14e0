#pragma once
#include <memory>

#include "headend/database/query_queue.h"
#include "headend/frontend/caller_ports.h"

namespace wattmesh::headend::database {

/// frontend::CallerDirectory on PostgreSQL. Who calls in while a question is under way waits for the next
/// one, which asks for all of them: after a restart thousands call in within seconds.
class PgCallers : public frontend::CallerDirectory {
public:
    explicit PgCallers(QueryQueue& queue);
    void open_caller(DeviceNumber number, Instant now,
                     std::function<void(std::optional<frontend::SessionOpened>)> done) override;

private:
    struct Desk;
    static void ask(QueryQueue& queue, const std::shared_ptr<Desk>& desk);

    QueryQueue& queue_;
    std::shared_ptr<Desk> desk_;
};

}  // namespace wattmesh::headend::database
