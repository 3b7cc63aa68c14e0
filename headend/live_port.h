#pragma once
#include <map>
#include <memory>

#include "headend/console/ports.h"
#include "headend/frontend/listener.h"
#include "headend/monitor/on_demand.h"

namespace wattmesh::headend {

/// The console's way to live meters: from its handler threads to the loop and back. Without a front-end in
/// this process everything is "offline".
class LivePort : public console::LiveReads {
public:
    explicit LivePort(platform::Loop& loop) : loop_(loop) {}
    /// On the loop's thread, before it runs; both outlive the loop's run.
    void connect(frontend::Listener& listener, frontend::Core& core, monitor::OnDemand& on_demand);
    /// On the loop's thread: everything open ends as offline, and nothing more is taken.
    void shut();

    void read(DeviceNumber meter, const dlms::AttributeId& attribute,
              std::function<void(console::LiveValue)> done) override;
    void topology(DeviceNumber concentrator,
                  std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) override;
    void uplink(DeviceNumber concentrator,
                std::function<void(std::optional<dcu::UplinkState>)> done) override;
    void statistics(DeviceNumber concentrator,
                    std::function<void(std::optional<dcu::Statistics>)> done) override;

private:
    using ReadDone = std::function<void(console::LiveValue)>;
    /// The value of an object of the concentrator itself; nothing when it did not answer.
    using ObjectDone = std::function<void(std::optional<dlms::Data>)>;
    void read_object(DeviceNumber concentrator, const ObisCode& object, ObjectDone done);
    void finish(std::uint64_t ticket, console::LiveValue value);
    void finish(std::uint64_t ticket, std::optional<dlms::Data> value);

    platform::Loop& loop_;
    frontend::Listener* listener_ = nullptr;
    frontend::Core* core_ = nullptr;
    monitor::OnDemand* on_demand_ = nullptr;
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, ReadDone> reads_;
    std::map<std::uint64_t, ObjectDone> objects_;
};

}  // namespace wattmesh::headend
