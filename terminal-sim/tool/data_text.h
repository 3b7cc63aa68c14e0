#pragma once
#include <string>
#include <string_view>

#include "protocol/base/time.h"
#include "protocol/dlms/data.h"

namespace wattmesh::sim {

/// A value as JSON: date-times as ISO 8601 in UTC, printable octet-strings as text, others as hexadecimal.
std::string to_json(const dlms::Data& data);
/// JSON text without its quotes.
std::string json_escaped(std::string_view text);
std::string iso_text(Instant at);

}  // namespace wattmesh::sim
