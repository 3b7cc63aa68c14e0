#pragma once
#include "headend/settings.h"

namespace wattmesh::headend {

/// callers.ports = NAME NAME..., and of each port callers.NAME.port, .address, .profiles, .sniff, .tls,
/// .allow and .accepts_per_s; profiles from the folder callers.profiles. callers.dial, callers.modbus_fast_s
/// and callers.modbus_answer_s are about Modbus. Throws platform::SettingsError
/// naming the key, the file and the line.
void read_callers(const platform::Settings& settings, HeadendSettings& out);

}  // namespace wattmesh::headend
