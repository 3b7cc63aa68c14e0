#include "protocol/link/fcs.h"

#include <array>

namespace wattmesh::link {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned octet = 0; octet < 256; ++octet) {
        unsigned rest = octet;
        for (int bit = 0; bit < 8; ++bit) rest = (rest & 1U) != 0 ? rest >> 1U ^ 0x8408U : rest >> 1U;
        table[octet] = static_cast<std::uint16_t>(rest);
    }
    return table;
}
constexpr auto table = make_table();

}  // namespace

std::uint16_t fcs16(Bytes bytes) {
    std::uint16_t sum = 0xFFFF;
    for (const std::uint8_t octet : bytes)
        sum = static_cast<std::uint16_t>(sum >> 8U ^ table[(sum ^ octet) & 0xFFU]);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace wattmesh::link
