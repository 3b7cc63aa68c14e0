#pragma once
#include "headend/settings.h"

namespace wattmesh::headend {

/// callers.ports = NAME NAME..., and of each port callers.NAME.port, .address, .profiles, .sniff, .tls,
/// .allow and .accepts_per_s; profiles from the folder callers.profiles. .carries = gdw376 makes it one for
/// Q/GDW 376.1, .beat_s says how often devices without a profile beat. callers.dial, callers.modbus_fast_s
/// and callers.modbus_answer_s are about Modbus, callers.gdw376_utc_offset_min, callers.gdw376_history_days
/// and callers.gdw376_answer_s about Q/GDW 376.1. Throws platform::SettingsError naming the key, the file and
/// the line.
void read_callers(const platform::Settings& settings, HeadendSettings& out);

}  // namespace wattmesh::headend
