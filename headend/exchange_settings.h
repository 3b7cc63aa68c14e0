#pragma once
#include "headend/settings.h"

namespace wattmesh::headend {

/// Keys exchange.*: what other systems of the utility may ask, and from where. After read_console. Throws
/// SettingsError naming the key.
void read_exchange(const platform::Settings& settings, HeadendSettings& out);

}  // namespace wattmesh::headend
