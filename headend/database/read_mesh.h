#pragma once
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::database {

/// A hop by which a meter was reached: the last one of the routes that a mesh told of.
struct LinkSeen {
    DeviceNumber meter;
    DeviceNumber parent;          ///< all zeros: the concentrator itself
    std::optional<int> rssi_dbm;  ///< the best that was told; nothing on a wire
    Instant last{};
};
/// What the mesh of a concentrator has told, for pages.
class MeshReader {
public:
    explicit MeshReader(Connection& connection) : connection_(connection) {}
    /// Every pair that was told since then, ordered by meter and parent.
    std::vector<LinkSeen> links(ConcentratorId concentrator, Instant since);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
