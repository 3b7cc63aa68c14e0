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
    for (auto& [ticket, done] : std::exchange(objects_, {})) done(std::nullopt);
}

void LivePort::finish(std::uint64_t ticket, console::LiveValue value) {
    if (auto waiting = reads_.extract(ticket)) waiting.mapped()(std::move(value));
}

void LivePort::finish(std::uint64_t ticket, std::optional<dlms::Data> value) {
    if (auto waiting = objects_.extract(ticket)) waiting.mapped()(std::move(value));
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

void LivePort::read_object(DeviceNumber concentrator, const ObisCode& object, ObjectDone done) {
    loop_.post([this, concentrator, object, done = std::move(done)]() mutable {
        if (core_ == nullptr) return done(std::nullopt);
        const std::uint64_t ticket = next_++;
        objects_[ticket] = std::move(done);
        core_->read(concentrator, {1, object, 2},
                    [this, ticket](const std::optional<dlms::ReadOutcome>& outcome) {
                        const auto* data = outcome ? std::get_if<dlms::Data>(&*outcome) : nullptr;
                        finish(ticket, data != nullptr ? std::optional{*data} : std::nullopt);
                    });
        listener_->pump_soon();
    });
}

void LivePort::topology(DeviceNumber concentrator,
                        std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) {
    read_object(concentrator, dcu::objects::topology,
                [done = std::move(done)](const std::optional<dlms::Data>& data) {
                    auto nodes = data ? dcu::topology_from_data(*data)
                                      : Result<std::vector<dcu::TopologyNode>>{Error{}};
                    done(nodes ? std::optional{*std::move(nodes)} : std::nullopt);
                });
}

void LivePort::uplink(DeviceNumber concentrator, std::function<void(std::optional<dcu::UplinkState>)> done) {
    read_object(concentrator, dcu::objects::uplink_state,
                [done = std::move(done)](const std::optional<dlms::Data>& data) {
                    auto state =
                        data ? dcu::uplink_state_from_data(*data) : Result<dcu::UplinkState>{Error{}};
                    done(state ? std::optional{*std::move(state)} : std::nullopt);
                });
}

void LivePort::statistics(DeviceNumber concentrator,
                          std::function<void(std::optional<dcu::Statistics>)> done) {
    read_object(concentrator, dcu::objects::statistics,
                [done = std::move(done)](const std::optional<dlms::Data>& data) {
                    auto counts = data ? dcu::statistics_from_data(*data) : Result<dcu::Statistics>{Error{}};
                    done(counts ? std::optional{*counts} : std::nullopt);
                });
}

}  // namespace wattmesh::headend
