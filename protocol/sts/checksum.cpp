#include "protocol/sts/checksum.h"

namespace wattmesh::sts {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned octet = 0; octet < 256; ++octet) {
        unsigned value = octet;
        for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xA001 : value >> 1;
        table[octet] = static_cast<std::uint16_t>(value);
    }
    return table;
}
constexpr auto table = make_table();

constexpr std::uint16_t step(std::uint16_t crc, std::uint8_t octet) {
    return static_cast<std::uint16_t>(crc >> 8 ^ table[(crc ^ octet) & 0xFF]);
}

}  // namespace

std::uint16_t checksum(const Block& block, bool currency) {
    std::uint16_t crc = step(0xFFFF, static_cast<std::uint8_t>(block.token_class));  // 6 zero bits and class
    for (int shift = 56; shift >= 16; shift -= 8)
        crc = step(crc, static_cast<std::uint8_t>(block.bits >> shift));
    if (currency) crc = step(crc, 0x01);
    return static_cast<std::uint16_t>(crc << 8 | crc >> 8);
}

}  // namespace wattmesh::sts
