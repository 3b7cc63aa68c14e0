#pragma once
#include <optional>
#include <string>

#include "protocol/base/bytes.h"

/// Dates and times in words, what is not specified included. Source: Blue Book (DLMS UA 1000-1) ed. 14,
/// 4.1.6.1. Nothing for another size or a field out of range.
namespace wattmesh::decode {

/// 12 octets: "2019-12-31T23:00:00+01:00 Tue", "last Sun of March, any year at 02:00:00, zone not given".
std::optional<std::string> date_time_words(Bytes octets);
/// 5 octets: "2019-12-31 Tue", "any date".
std::optional<std::string> date_words(Bytes octets);
/// 4 octets: "23:00:00", "any time".
std::optional<std::string> time_words(Bytes octets);

}  // namespace wattmesh::decode
