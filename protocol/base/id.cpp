#include "protocol/base/id.h"

namespace wattmesh {

std::optional<DeviceNumber> DeviceNumber::parse(std::string_view digits) {
    DeviceNumber number;
    if (digits.size() != number.bcd.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
        auto& octet = number.bcd[i / 2];
        octet = static_cast<std::uint8_t>(octet << 4 | (digits[i] - '0'));
    }
    return number;
}

std::uint64_t DeviceNumber::integer() const {
    std::uint64_t value = 0;
    for (const auto octet : bcd)
        value = value * 100 + static_cast<std::uint64_t>((octet >> 4) * 10 + (octet & 0x0F));
    return value;
}

std::string to_string(const DeviceNumber& number) {
    std::string digits;
    for (const auto octet : number.bcd) {
        digits += static_cast<char>('0' + (octet >> 4));
        digits += static_cast<char>('0' + (octet & 0x0F));
    }
    return digits;
}

SystemTitle system_title(const DeviceNumber& number) {
    SystemTitle title{{'W', 'M', 'T'}};
    std::uint64_t serial = number.integer();
    for (int i = 7; i >= 3; --i, serial >>= 8)
        title.octets[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(serial);
    return title;
}

}  // namespace wattmesh
