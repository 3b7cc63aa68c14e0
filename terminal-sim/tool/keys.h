#pragma once
#include <optional>

#include "platform/settings.h"
#include "protocol/dlms/security.h"

namespace wattmesh::sim {

/// --ek and --ak, 32 hexadecimal digits each; nothing when both are absent. Throws SettingsError naming the
/// option, never the key.
std::optional<dlms::ClientKeys> management_keys(const platform::Settings& settings);

}  // namespace wattmesh::sim
