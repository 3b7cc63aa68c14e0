#pragma once
#include "headend/console/ports.h"
#include "platform/loop.h"

namespace wattmesh::headend::console {

/// The port over an OnDemand and a front-end that live on one loop: takes requests to the loop's thread.
/// Outlives the console and is outlived by the loop's objects.
class LoopReads : public LiveReads {
public:
    /// Reads an attribute of a concentrator itself (frontend::Core::read); on the loop's thread.
    using ReadConcentrator = std::function<void(DeviceNumber concentrator, const dlms::AttributeId& attribute,
                                                std::function<void(std::optional<dlms::ReadOutcome>)> done)>;

    LoopReads(platform::Loop& loop, monitor::OnDemand& reads, ReadConcentrator read_concentrator)
        : loop_(loop), reads_(reads), read_concentrator_(std::move(read_concentrator)) {}

    void read(DeviceNumber meter, const dlms::AttributeId& attribute,
              std::function<void(monitor::OnDemandResult)> done) override {
        loop_.post([this, meter, attribute, done = std::move(done)]() mutable {
            reads_.read(meter, attribute, std::move(done));
        });
    }
    void topology(DeviceNumber concentrator,
                  std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) override;

private:
    platform::Loop& loop_;
    monitor::OnDemand& reads_;
    ReadConcentrator read_concentrator_;
};

}  // namespace wattmesh::headend::console
