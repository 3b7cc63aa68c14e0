#include "headend/monitor/firmware_job.h"

#include <algorithm>

#include "headend/jobs/retry.h"

namespace wattmesh::headend::monitor {
namespace {

// An item is looked at again by itself once in so long; a meter's last word wakes it at once.
constexpr Duration look_min = std::chrono::seconds{10}, look_max = std::chrono::minutes{2};
constexpr Duration look_per_item = std::chrono::milliseconds{50};

std::string progress(const database::FirmwareMeter& meter, const std::string& supply) {
    if (!meter.concentrator) return "no concentrator has the meter";
    if (meter.state == "waiting") return supply + ", the meter was not asked yet";
    return "the meter has " + std::to_string(meter.blocks - meter.missing) + " of " +
           std::to_string(meter.blocks) + " blocks";
}

}  // namespace

database::ItemOutcome firmware_outcome(const database::Job& job, const database::FirmwareTask& task,
                                       Instant now) {
    using database::ItemState;
    const auto& meter = task.meter;
    if (meter.state == "verified") return {ItemState::done, "has version " + task.image.version};
    if (meter.state == "failed" || meter.state == "refused")
        return {ItemState::failed, meter.state + (meter.trouble.empty() ? ": the meter does not say why"
                                                                        : ": " + meter.trouble)};
    if (!job.open()) return {ItemState::failed, "cancelled"};
    return jobs::later(progress(meter, task.supply),
                       now + std::clamp(look_per_item * job.total, look_min, look_max));
}

void FirmwareJob::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    if (item.attempts == 0 && item.detail.empty() && item.place == 1) order_changed_();
    queue_.run(
        [job = job.id, meter = *meter](database::Connection& connection) {
            return database::Firmware{connection}.task(job, meter);
        },
        [this, job, item,
         done = std::move(done)](const std::optional<std::optional<database::FirmwareTask>>& task) {
            if (!task) return done(jobs::later(item, now_()));
            if (!*task) return done({database::ItemState::failed, "the order is not about this meter"});
            done(firmware_outcome(job, **task, now_()));
        });
}

}  // namespace wattmesh::headend::monitor
