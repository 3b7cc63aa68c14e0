#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/dlms/protection.h"

namespace wattmesh::headend::monitor {

/// Which keys of the management client of a meter somebody wants replaced, and why.
struct RotationOrder {
    std::int64_t id = 0;
    DeviceNumber meter;
    std::vector<dlms::KeyKind> kinds;
    std::string actor, reason;  ///< for the audit log
};

/// "encryption", "authentication", "broadcast", "master".
std::string_view to_string(dlms::KeyKind kind);
/// Kinds of such words with commas, each once; nothing when a word is none of them or there is none.
std::optional<std::vector<dlms::KeyKind>> key_kinds(std::string_view words);
std::string to_string(const std::vector<dlms::KeyKind>& kinds);

}  // namespace wattmesh::headend::monitor
