#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "headend/database/read_mesh.h"
#include "headend/database/read_meters.h"

namespace wattmesh::headend::console {

/// Relays from the concentrator down to this place, by following parents; a loop or a hole ends it.
std::vector<DeviceNumber> route_of(const std::map<DeviceNumber, const database::MeterPlace*>& places,
                                   const database::MeterPlace& place);

/// A node of a mesh as its concentrator sees it, or as it last told.
struct ShapeNode {
    DeviceNumber number;
    bool reached = false;
    std::string state;  ///< of one that is not reached
    int hops = 0;
    std::optional<int> rssi_dbm;      ///< nothing on a wire
    std::vector<DeviceNumber> route;  ///< concentrator side first
};
/// A node that others hang on.
struct Relay {
    DeviceNumber number;
    std::vector<DeviceNumber> below;  ///< whose routes lead over it
};
/// Most below first. What hangs below a node is known from the routes in use, not from what would happen
/// without it: others may have another way.
std::vector<Relay> relays_of(const std::vector<ShapeNode>& nodes);

/// A place for a repeater: next to a device that stands already.
struct RepeaterSite {
    DeviceNumber near;
    bool reached = false;             ///< the device there is in the mesh now
    std::vector<DeviceNumber> gains;  ///< meters that no route reaches, and one over there would
};
/// Where a repeater brings back most meters. Computed from hops that worked once: next to a device, a radio
/// hears what the device heard. A place counts when it was linked with somebody who is reached (or with the
/// concentrator); it gains whoever was linked with it, and with those in turn. Nothing is known of places
/// between devices, nor of a meter that never joined. At most `count_max`, most gains first.
std::vector<RepeaterSite> repeater_sites(const std::vector<ShapeNode>& nodes,
                                         const std::vector<database::LinkSeen>& links, std::size_t count_max);

}  // namespace wattmesh::headend::console
