#pragma once
#include <filesystem>

#include "terminal-sim/field/town.h"

namespace wattmesh::sim {

/// What the utility knows of the town, for `headend assets import`: CSV with one substation, a feeder for two
/// transformers each, a transformer TX-n where concentrator n stands, a usage point and a customer for every
/// meter. People are invented; places are the layout's, around a point in Pune.
void write_assets(const std::filesystem::path& file, const Town& town);

}  // namespace wattmesh::sim
