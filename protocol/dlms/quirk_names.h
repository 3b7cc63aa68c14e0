#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/dlms/quirks.h"

namespace wattmesh::dlms {

/// A quirk by the name it has in Quirks.
struct QuirkName {
    std::string_view name;
    bool Quirks::* flag;
};
std::span<const QuirkName> quirk_names();
/// nullptr when there is no such quirk.
const QuirkName* quirk_named(std::string_view name);

/// Why an APDU may have been refused: the quirk that it shows and that `allowed` does not have. For messages
/// to people; nothing is decided by it. Plain APDUs, and the outside of ciphered ones.
std::optional<std::string_view> quirk_shown(Bytes apdu, const Quirks& allowed);

}  // namespace wattmesh::dlms
