#pragma once
#include <string_view>

#include "protocol/decode/data_node.h"

namespace wattmesh::decode {

/// Reads one value and says it: short ones in a line, others as a tree. `prefix` comes in front of the first
/// line: "value ".
DataNode data_lines(Walk& walk, std::string_view prefix);
/// Access parameters of a profile: by range (1) or by entry (2); others as they are (Blue Book ed.
/// 14, 4.3.6).
void selector_lines(Walk& walk, std::uint8_t selector);
/// A sequence of values under a line with their count, which must be `expected` if that is given. Returns it.
std::size_t data_sequence_lines(Walk& walk, std::string_view name, std::optional<std::size_t> expected = {});

}  // namespace wattmesh::decode
