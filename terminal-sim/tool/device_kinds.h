#pragma once
#include "platform/settings.h"
#include "protocol/base/id.h"

namespace wattmesh::sim {

/// terminal-sim device --kind modbus-tcp and dlms-callin; runs until a signal ends it. Throws SettingsError.
int run_modbus_gateway(const platform::Settings& settings, const DeviceNumber& first);
int run_callin_meter(const platform::Settings& settings, const DeviceNumber& number);

}  // namespace wattmesh::sim
