#pragma once
#include "headend/database/firmware.h"
#include "headend/jobs/job_runner.h"

namespace wattmesh::headend::monitor {

/// "firmware" jobs: an image goes to many meters. The work is not done here: the order is part of what each
/// concentrator should hold (monitor/desired.h), the front-end brings it the image (frontend/image_supply.h),
/// the mesh carries it, and what a meter says comes with the journal. An item waits for its meter's word; who
/// pauses or cancels the job takes the order back, and what a meter holds already it keeps.
class FirmwareJob : public jobs::JobKind {
public:
    /// `order_changed`: what concentrators should hold is worked out anew, soon.
    FirmwareJob(database::QueryQueue& queue, std::function<void()> order_changed,
                std::function<Instant()> now)
        : queue_(queue), order_changed_(std::move(order_changed)), now_(std::move(now)) {}
    std::string name() const override { return "firmware"; }
    int at_once() const override { return 8; }
    void work(const database::Job& job, const database::JobItem& item, Done done) override;

private:
    database::QueryQueue& queue_;
    std::function<void()> order_changed_;
    std::function<Instant()> now_;
};

/// Where an item of such a job stands, from what its meter said.
database::ItemOutcome firmware_outcome(const database::Job& job, const database::FirmwareTask& task,
                                       Instant now);

}  // namespace wattmesh::headend::monitor
