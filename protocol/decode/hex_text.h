#pragma once
#include <string>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh::decode {

struct HexText {
    Buffer octets;
    std::string wrong;  ///< what is wrong, with its place; empty when nothing is
};
/// Octets in hexadecimal as people paste them: blanks, newlines, commas, colons and dashes between octets, 0x
/// or $ before them, upper and lower case.
HexText read_hex(std::string_view text);

}  // namespace wattmesh::decode
