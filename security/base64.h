#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh::security {

/// RFC 4648 section 4, with padding, one line.
std::string to_base64(Bytes bytes);
/// Strict: no blanks, no missing padding, no bits left over.
std::optional<Buffer> from_base64(std::string_view text);

}  // namespace wattmesh::security
