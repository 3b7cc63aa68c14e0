#pragma once
#include "platform/settings.h"
#include "terminal-sim/meter/prepaid_meter.h"

namespace wattmesh::sim {

/// A prepayment meter, if --pan is there, from its key (--dk, or --vk and --sgc) and --credit, --low-credit,
/// --emergency, --arming. Throws SettingsError, and std::runtime_error (a wrong digit in a number).
std::optional<PrepaidSettings> prepaid_of(const platform::Settings& settings);

}  // namespace wattmesh::sim
