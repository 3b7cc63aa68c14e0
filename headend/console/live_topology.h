#pragma once
#include <optional>
#include <vector>

#include "headend/console/context.h"

namespace wattmesh::headend::console {

/// The mesh as its concentrator sees it; nothing when it does not answer within four seconds. Blocks: hold no
/// database connection.
std::optional<std::vector<dcu::TopologyNode>> live_nodes(Context& context, DeviceNumber concentrator);
/// One meter's node of it.
std::optional<dcu::TopologyNode> live_node(Context& context, DeviceNumber concentrator, DeviceNumber meter);

/// The concentrator's own counters, likewise.
/// Nothing likewise.
std::optional<dcu::UplinkState> live_uplink(Context& context, DeviceNumber concentrator);
std::optional<dcu::Statistics> live_statistics(Context& context, DeviceNumber concentrator);

}  // namespace wattmesh::headend::console
