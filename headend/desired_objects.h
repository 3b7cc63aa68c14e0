#pragma once
#include "headend/database/query_queue.h"
#include "headend/frontend/ports.h"

namespace wattmesh::headend {

/// frontend::DesiredState on the database, as wm_frontend: reads what monitor wants, notes what was
/// confirmed. A version above ours is noted as confirmed; monitor sees that and makes ours newer.
class DesiredObjects : public frontend::DesiredState {
public:
    explicit DesiredObjects(database::QueryQueue& queue) : queue_(queue) {}
    void wanted(DeviceNumber concentrator, Instant now,
                std::function<void(std::optional<std::vector<frontend::WantedObject>>)> done) override;
    void confirm(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant now) override;
    void overtaken(DeviceNumber concentrator, ObisCode object, std::uint32_t version, Instant now) override;

private:
    database::QueryQueue& queue_;
};

}  // namespace wattmesh::headend
