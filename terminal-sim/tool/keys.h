#pragma once
#include <optional>

#include "platform/settings.h"
#include "protocol/decode/decipher.h"
#include "protocol/dlms/security.h"

namespace wattmesh::sim {

/// --ek and --ak, and perhaps --master, 32 hexadecimal digits each (suite 2: 64); nothing when the first two
/// are absent. Throws SettingsError naming the option, never the key.
std::optional<dlms::ClientKeys> management_keys(const platform::Settings& settings,
                                                dlms::Suite suite = dlms::Suite::zero);

/// What deciphers: --key, --ak, --dedicated, --broadcast, --master, --title, and --keys for a whole shipment.
/// Throws SettingsError naming the option, never the key.
decode::Keyring keyring_of(const platform::Settings& settings, Ciphers& ciphers);

}  // namespace wattmesh::sim
