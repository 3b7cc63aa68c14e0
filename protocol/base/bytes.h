#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmesh {

/// Borrowed, read-only octets; whoever made the view keeps the storage alive.
using Bytes = std::span<const std::uint8_t>;
/// Owned octets.
using Buffer = std::vector<std::uint8_t>;

/// Upper-case hexadecimal without separators.
std::string to_hex(Bytes bytes);
/// Accepts upper and lower case and blanks between octets; nothing when a digit is missing or foreign.
std::optional<Buffer> from_hex(std::string_view text);

inline Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace wattmesh
