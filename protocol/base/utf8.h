#pragma once
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh {

/// Octets of the UTF-8 character at the beginning; 0 when there is none. Source: Unicode 15, table 3-7.
std::size_t utf8_size(Bytes octets);
bool is_utf8(std::string_view text);
/// `octets_max` octets at most, cut between characters. Of UTF-8.
std::string utf8_cut(std::string_view text, std::size_t octets_max);

}  // namespace wattmesh
