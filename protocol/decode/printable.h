#pragma once
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh::decode {

/// Not empty, and every octet a printable ASCII character.
bool is_printable(Bytes octets);
/// Text of a peer, safe on a terminal: control characters and what is not UTF-8 as \xNN.
std::string printable(Bytes octets);
/// Text that `printable` made, as the inside of a JSON string.
std::string json_text(std::string_view text);
/// Hexadecimal of at most `shown_max` octets; of longer ones the first, and how many there are.
std::string hex_words(Bytes octets, std::size_t shown_max);

}  // namespace wattmesh::decode
