#include "protocol/gdw376/terminal_number.h"

#include <cstdio>

#include "protocol/base/bcd.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint64_t prefix = 376, areas = 10'000, terminals = 100'000;

}  // namespace

std::optional<DeviceNumber> terminal_number(const Address& address) {
    const auto high = static_cast<std::uint8_t>(address.area >> 8),
               low = static_cast<std::uint8_t>(address.area & 0xFF);
    if (address.group || address.terminal == 0 || !is_bcd(high) || !is_bcd(low)) return std::nullopt;
    const unsigned area = from_bcd(high) * 100U + from_bcd(low);
    char digits[16];
    std::snprintf(digits, sizeof digits, "376%04u%05u", area, unsigned{address.terminal});
    return DeviceNumber::parse(digits);
}

std::optional<Address> terminal_address(const DeviceNumber& number) {
    const auto value = static_cast<std::uint64_t>(number.integer());
    if (value / (areas * terminals) != prefix) return std::nullopt;
    const auto area = static_cast<unsigned>(value / terminals % areas);
    const auto terminal = value % terminals;
    if (terminal == 0 || terminal > 0xFFFF) return std::nullopt;
    return Address{.area = static_cast<std::uint16_t>(to_bcd(area / 100) << 8 | to_bcd(area % 100)),
                   .terminal = static_cast<std::uint16_t>(terminal)};
}

}  // namespace wattmesh::gdw376
