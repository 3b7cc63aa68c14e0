#pragma once
#include <optional>

#include "platform/settings.h"
#include "protocol/base/id.h"
#include "protocol/link/hello_profile.h"

namespace wattmesh::sim {

/// terminal-sim device --kind modbus-tcp, dtu, gdw376 and dlms-callin; runs until a signal ends it. `first`:
/// number of the first unit. Throws SettingsError.
int run_modbus_gateway(const platform::Settings& settings, const DeviceNumber& first);
int run_dtu(const platform::Settings& settings, const DeviceNumber& first);
int run_terminal(const platform::Settings& settings, const DeviceNumber& first);
int run_callin_meter(const platform::Settings& settings, const DeviceNumber& number);

/// The file that --profile names. Throws SettingsError, also when it carries something else than is said.
link::HelloProfile hello_profile_in(const platform::Settings& settings,
                                    std::optional<link::Carried> carries = {});

}  // namespace wattmesh::sim
