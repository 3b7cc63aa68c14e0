#include "headend/console/live_topology.h"

#include <future>
#include <memory>

namespace wattmesh::headend::console {
namespace {
constexpr std::chrono::seconds patience{4};
}  // namespace

std::optional<std::vector<dcu::TopologyNode>> live_nodes(Context& context, DeviceNumber concentrator) {
    using Nodes = std::optional<std::vector<dcu::TopologyNode>>;
    auto promise = std::make_shared<std::promise<Nodes>>();
    auto future = promise->get_future();
    context.reads.topology(concentrator, [promise](Nodes nodes) { promise->set_value(std::move(nodes)); });
    if (future.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return future.get();
}

std::optional<dcu::Statistics> live_statistics(Context& context, DeviceNumber concentrator) {
    using Counts = std::optional<dcu::Statistics>;
    auto promise = std::make_shared<std::promise<Counts>>();
    auto future = promise->get_future();
    context.reads.statistics(concentrator, [promise](Counts counts) { promise->set_value(counts); });
    if (future.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return future.get();
}

std::optional<dcu::UplinkState> live_uplink(Context& context, DeviceNumber concentrator) {
    using State = std::optional<dcu::UplinkState>;
    auto promise = std::make_shared<std::promise<State>>();
    auto future = promise->get_future();
    context.reads.uplink(concentrator, [promise](State state) { promise->set_value(std::move(state)); });
    if (future.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return future.get();
}

std::optional<dcu::TopologyNode> live_node(Context& context, DeviceNumber concentrator, DeviceNumber meter) {
    const auto nodes = live_nodes(context, concentrator);
    if (!nodes) return std::nullopt;
    for (const auto& node : *nodes)
        if (node.number == meter) return node;
    return std::nullopt;
}

}  // namespace wattmesh::headend::console
