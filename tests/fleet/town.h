#pragma once
#include <map>

#include "terminal-sim/field/shipment.h"
#include "tests/fleet/chance.h"

namespace wattmesh::fleet {

/// What a run is about, all from its seed.
struct Scene {
    sim::Town town;
    sim::Shipment shipment;
    std::map<DeviceNumber, Key128> keks;  ///< by concentrator
};

/// Two concentrators and 40 customer meters in a rural layout, with a summary meter at each transformer.
inline Scene make_scene(std::uint64_t seed) {
    Chance chance{seed, 1};
    sim::LayoutRequest request;
    request.kind = sim::LayoutKind::rural;
    request.meters = 40;
    request.concentrators = 2;
    request.seed = seed;
    request.summary_meters = true;
    Scene scene{sim::make_town(request), {}, {}};
    scene.shipment = sim::make_shipment(scene.town, chance);
    for (const auto& concentrator : scene.town.concentrators) {
        std::array<std::uint8_t, 16> kek{};
        chance.fill(kek);
        scene.keks.emplace(concentrator, Key128{kek});
    }
    return scene;
}

}  // namespace wattmesh::fleet
