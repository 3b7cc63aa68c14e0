#pragma once
#include <filesystem>
#include <vector>

#include "protocol/base/id.h"
#include "terminal-sim/meter/load.h"
#include "terminal-sim/radio/layout.h"

namespace wattmesh::sim {

/// A meter on the map: what it measures and how well its clock runs. Order is the layout's.
struct TownMeter {
    DeviceNumber number, concentrator;
    LoadKind kind = LoadKind::household;  ///< summary: the transformer's own meter
    bool solar = false;
    std::int32_t drift_ppm = 0;
    std::int32_t clock_offset_ms = 0;
    friend bool operator==(const TownMeter&, const TownMeter&) = default;
};

/// A simulated town: where things stand is a pure function of `request`.
struct Town {
    LayoutRequest request;
    std::vector<TownMeter> meters;
    std::vector<DeviceNumber> concentrators;
};

/// Meters 54..., concentrators 90..., summary meters 80...; shapes, solar roofs and clocks drawn from
/// request.seed.
Town make_town(const LayoutRequest& request);

/// town.json. Reading throws std::runtime_error naming the file and the field.
void write_town(const std::filesystem::path& file, const Town& town);
Town read_town(const std::filesystem::path& file);

}  // namespace wattmesh::sim
