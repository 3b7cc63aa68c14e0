#pragma once
#include <vector>

#include "headend/database/read_meters.h"

namespace wattmesh::headend::database {

/// Where a concentrator's store stands; differences of two looks are what arrived between them.
struct ConcentratorMark {
    DeviceNumber number;
    AreaId area{};
    bool online = false;
    OwnerEpoch owner_epoch{};
    std::int64_t rows = 0, entries = 0;
};
/// A meter joined or left the mesh.
struct MeshChange {
    DeviceNumber meter, concentrator;
    bool joined = false;
    int hops = 0;
    Instant at{};
};

/// What changed, for pages that follow. Read only, and cheap enough for once a second.
class ChangeReader {
public:
    explicit ChangeReader(Connection& connection) : connection_(connection) {}

    std::vector<ConcentratorMark> marks();
    /// The newest `count_max` joined and lost events received after `after`, oldest first; `newest` becomes
    /// the time of the last.
    std::vector<MeshChange> mesh_changes(Instant after, int count_max, Instant& newest);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
