#pragma once
#include <cstdint>

namespace wattmesh {

/// Two decimal digits in an octet, the high one first.
constexpr bool is_bcd(std::uint8_t octet) { return octet >> 4 <= 9 && (octet & 0x0F) <= 9; }
/// Of an octet that is_bcd; others give a number that means nothing.
constexpr std::uint8_t from_bcd(std::uint8_t octet) {
    return static_cast<std::uint8_t>((octet >> 4) * 10 + (octet & 0x0F));
}
/// Of the last two digits of `value`.
constexpr std::uint8_t to_bcd(unsigned value) {
    return static_cast<std::uint8_t>(value / 10 % 10 << 4 | value % 10);
}

}  // namespace wattmesh
