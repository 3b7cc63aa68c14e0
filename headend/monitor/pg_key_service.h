#pragma once
#include "headend/database/query_queue.h"
#include "headend/monitor/key_service.h"
#include "security/master_key.h"

namespace wattmesh::headend::monitor {

/// Key service on the database: keys are unwrapped on the queue's thread, for one use.
class PgKeyService : public KeyService {
public:
    PgKeyService(database::QueryQueue& queue, const security::MasterKey& master)
        : queue_(queue), master_(master) {}
    void management(DeviceNumber meter, std::function<void(KeyAnswer)> done) override;

private:
    database::QueryQueue& queue_;
    const security::MasterKey& master_;
};

}  // namespace wattmesh::headend::monitor
