#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "protocol/base/id.h"
#include "terminal-sim/meter/load.h"
#include "terminal-sim/radio/layout.h"

namespace wattmesh::sim {

/// A meter on the map: what it measures and how well its clock runs. Order is the layout's, then
/// the wired ones.
struct TownMeter {
    DeviceNumber number, concentrator;
    LoadKind kind = LoadKind::household;  ///< summary: the transformer's own meter
    bool solar = false;
    std::int32_t drift_ppm = 0;
    std::int32_t clock_offset_ms = 0;
    std::optional<DeviceNumber> collector{};  ///< on whose wire it was installed; nothing: on radio
    friend bool operator==(const TownMeter&, const TownMeter&) = default;
};

/// A mesh node with RS-485, in the cabinet of one of the meters of its concentrator.
struct TownCollector {
    DeviceNumber number, concentrator;
    std::size_t cabinet = 0;  ///< a place of the layout
    friend bool operator==(const TownCollector&, const TownCollector&) = default;
};
/// Collectors and their wired meters come on top of the layout's meters. Two collectors in a row belong to
/// the same concentrator, so that a meter can move from one to the other.
struct Wiring {
    std::size_t collectors = 0, meters_each = 8;
};

/// A simulated town: where things stand is a pure function of `request`.
struct Town {
    LayoutRequest request;
    std::vector<TownMeter> meters;
    std::vector<DeviceNumber> concentrators;
    std::vector<TownCollector> collectors{};
};

/// Meters 54..., concentrators 90..., summary meters 80..., collectors 70...; shapes, solar roofs and clocks
/// drawn from request.seed.
Town make_town(const LayoutRequest& request, const Wiring& wiring = {});
/// Where the town's meters, then its collectors have their radios; a wired meter's is in its collector's
/// cabinet.
Layout places_of(const Town& town);

/// town.json. Reading throws std::runtime_error naming the file and the field.
void write_town(const std::filesystem::path& file, const Town& town);
Town read_town(const std::filesystem::path& file);

}  // namespace wattmesh::sim
