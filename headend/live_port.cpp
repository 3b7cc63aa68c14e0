#include "headend/live_port.h"

#include <utility>

#include "protocol/dcu/objects.h"

namespace wattmesh::headend {
namespace {

console::LiveValue offline() {
    console::LiveValue value;
    value.fault = "offline";
    return value;
}

}  // namespace

void LivePort::connect(frontend::Listener& listener, frontend::Core& core, monitor::OnDemand& on_demand) {
    listener_ = &listener;
    core_ = &core;
    on_demand_ = &on_demand;
}

void LivePort::shut() {
    core_ = nullptr;
    for (auto& [ticket, done] : std::exchange(reads_, {})) done(offline());
    for (auto& [ticket, done] : std::exchange(topologies_, {})) done(std::nullopt);
}

void LivePort::finish(std::uint64_t ticket, console::LiveValue value) {
    if (auto waiting = reads_.extract(ticket)) waiting.mapped()(std::move(value));
}

void LivePort::finish(std::uint64_t ticket, std::optional<std::vector<dcu::TopologyNode>> nodes) {
    if (auto waiting = topologies_.extract(ticket)) waiting.mapped()(std::move(nodes));
}

void LivePort::read(DeviceNumber meter, const dlms::AttributeId& attribute, ReadDone done) {
    loop_.post([this, meter, attribute, done = std::move(done)]() mutable {
        if (core_ == nullptr) return done(offline());
        const std::uint64_t ticket = next_++;
        reads_[ticket] = std::move(done);
        on_demand_->read(meter, attribute, [this, ticket](monitor::OnDemandResult result) {
            finish(ticket, console::LiveValue{.ok = result.ok(),
                                              .fault = std::move(result.fault),
                                              .value = std::move(result.value),
                                              .scaler = result.scaler,
                                              .unit = result.unit,
                                              .took = result.took});
        });
        listener_->pump_soon();
    });
}

void LivePort::topology(DeviceNumber concentrator, TopologyDone done) {
    loop_.post([this, concentrator, done = std::move(done)]() mutable {
        if (core_ == nullptr) return done(std::nullopt);
        const std::uint64_t ticket = next_++;
        topologies_[ticket] = std::move(done);
        core_->read(concentrator, {1, dcu::objects::topology, 2},
                    [this, ticket](const std::optional<dlms::ReadOutcome>& outcome) {
                        const auto* data = outcome ? std::get_if<dlms::Data>(&*outcome) : nullptr;
                        auto nodes = data != nullptr ? dcu::topology_from_data(*data)
                                                     : Result<std::vector<dcu::TopologyNode>>{Error{}};
                        finish(ticket, nodes ? std::optional{*std::move(nodes)} : std::nullopt);
                    });
        listener_->pump_soon();
    });
}

}  // namespace wattmesh::headend
