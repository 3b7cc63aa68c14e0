#pragma once
#include "headend/database/counter_blocks.h"
#include "headend/database/query_queue.h"
#include "headend/monitor/key_service.h"
#include "security/master_key.h"

namespace wattmesh::headend::monitor {

/// Key service on the database: keys are unwrapped on the queue's thread, for one use, and enough invocation
/// counters are reserved for it.
class PgKeyService : public KeyService {
public:
    PgKeyService(database::QueryQueue& queue, const security::MasterKey& master,
                 database::CounterBlocks& counters, std::function<Instant()> now)
        : queue_(queue), master_(master), counters_(counters), now_(std::move(now)) {}
    void management(DeviceNumber meter, std::function<void(KeyAnswer)> done) override;

private:
    database::QueryQueue& queue_;
    const security::MasterKey& master_;
    database::CounterBlocks& counters_;
    std::function<Instant()> now_;
};

}  // namespace wattmesh::headend::monitor
