#pragma once
#include <map>

#include "terminal-sim/field/shipment.h"
#include "terminal-sim/radio/oracle.h"
#include "tests/fleet/chance.h"

namespace wattmesh::fleet {

/// What a run is about, all from its seed.
struct Scene {
    sim::Town town;
    sim::Shipment shipment;
    std::map<DeviceNumber, Key128> keks;  ///< by concentrator
};

/// When a run begins, and since when its meters have counted.
inline constexpr Instant run_start =
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours{6};
inline constexpr Instant history_from = run_start - std::chrono::hours{2};

/// Whether every meter has a way to its concentrator with 4 dB to spare: in a rural town some have none, and
/// the fleet is about what becomes of readings, not about the reach of radios.
inline bool within_reach(sim::LayoutRequest request) {
    request.hardness_db += 4;
    const sim::Layout places = sim::layout(request);
    const sim::Channel channel{places, request.seed, mesh::PhyRate::kbit50};
    const auto tree = sim::Oracle{channel, places.meters.size(), mesh::PhyRate::kbit50}.tree();
    for (std::size_t meter = 0; meter < places.meters.size(); ++meter)
        if (!tree.reaches(meter)) return false;
    return true;
}

/// Two concentrators and 40 customer meters in a rural layout, with a summary meter at each transformer, and
/// two collectors with four meters each at the first one.
/// `apart_percent`: 100 out of each other's reach.
inline Scene make_scene(std::uint64_t seed, int apart_percent = 100) {
    Chance chance{seed, 1};
    sim::LayoutRequest request;
    request.kind = sim::LayoutKind::rural;
    request.meters = 40;
    request.concentrators = 2;
    request.apart_percent = apart_percent;
    request.seed = seed;
    request.summary_meters = true;
    while (!within_reach(request)) request.seed += 1'000'003;
    Scene scene{sim::make_town(request, {.collectors = 2, .meters_each = 4}), {}, {}};
    scene.shipment = sim::make_shipment(scene.town, chance);
    for (const auto& concentrator : scene.town.concentrators) {
        std::array<std::uint8_t, 16> kek{};
        chance.fill(kek);
        scene.keks.emplace(concentrator, Key128{kek});
    }
    return scene;
}

}  // namespace wattmesh::fleet
