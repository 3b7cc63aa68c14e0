#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "headend/monitor/on_demand.h"
#include "protocol/base/id.h"
#include "protocol/dcu/objects.h"
#include "protocol/dlms/object.h"

/// What the console asks of the rest of the head-end; main.cpp connects it.
namespace wattmesh::headend::console {

/// Reads through the mesh. `done` comes once, on any thread.
class LiveReads {
public:
    virtual ~LiveReads() = default;
    virtual void read(DeviceNumber meter, const dlms::AttributeId& attribute,
                      std::function<void(monitor::OnDemandResult)> done) = 0;
    /// The mesh as its concentrator sees it now; nothing when it is not connected or does not answer.
    virtual void topology(DeviceNumber concentrator,
                          std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) = 0;
};

}  // namespace wattmesh::headend::console
