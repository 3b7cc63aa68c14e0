#include "protocol/sts/ea07.h"

#include <bit>

namespace wattmesh::sts {
namespace {

using Nibbles = std::array<std::uint8_t, 16>;
using Places = std::array<std::uint8_t, 64>;

constexpr Nibbles first{14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11};   // key bit 0
constexpr Nibbles second{12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14};  // key bit 1
/// Bit i, counted from the lowest, moves to place[i].
constexpr Places place{55, 42, 10, 18, 24, 21, 44, 35, 2,  22, 56, 43, 27, 58, 9,  50, 6,  36, 12, 61, 37, 38,
                       53, 16, 62, 3,  7,  4,  32, 20, 63, 25, 51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30,
                       41, 28, 13, 5,  40, 60, 39, 11, 15, 17, 1,  0,  57, 34, 59, 8,  47, 14, 45, 26};

constexpr Nibbles inverse(const Nibbles& box) {
    Nibbles out{};
    for (std::uint8_t i = 0; i < 16; ++i) out[box[i]] = i;
    return out;
}
constexpr Places inverse(const Places& places) {
    Places out{};
    for (std::uint8_t i = 0; i < 64; ++i) out[places[i]] = i;
    return out;
}
constexpr std::uint64_t moved(std::uint64_t bits, const Places& places) {
    std::uint64_t out = 0;
    for (unsigned i = 0; i < 64; ++i) out |= (bits >> i & 1) << places[i];
    return out;
}

/// [nibble][key bit and the nibble's value]: the substituted nibble, each of its bits at its new place, so
/// that a round is the union of sixteen look-ups.
using Table = std::array<std::array<std::uint64_t, 32>, 16>;
constexpr Table make_table(const Nibbles& with_bit_0, const Nibbles& with_bit_1, const Places& places) {
    Table table{};
    for (unsigned nibble = 0; nibble < 16; ++nibble) {
        for (unsigned value = 0; value < 16; ++value) {
            table[nibble][value] = moved(std::uint64_t{with_bit_0[value]} << 4 * nibble, places);
            table[nibble][16 + value] = moved(std::uint64_t{with_bit_1[value]} << 4 * nibble, places);
        }
    }
    return table;
}
constexpr Nibbles same{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr Table encrypting = make_table(first, second, place);
// Decrypting undoes the permutation before it substitutes. Taken one step further, each round substitutes and
// then undoes the permutation of the next one; the ends of the sixteen rounds make up for it.
constexpr Table decrypting = make_table(inverse(second), inverse(first), inverse(place));
constexpr Table permuting = make_table(same, same, place),
                unpermuting = make_table(same, same, inverse(place));

/// `choice`: bit 4n chooses the substitution of nibble n; its other bits are nothing to us.
inline std::uint64_t round(const Table& table, std::uint64_t block, std::uint64_t choice) {
    std::uint64_t out = 0;
    for (unsigned nibble = 0; nibble < 16; ++nibble)
        out |= table[nibble][(block >> 4 * nibble & 15) | (choice >> 4 * nibble & 1) << 4];
    return out;
}

}  // namespace

std::uint64_t Ea07::key() const {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : key_.reveal()) value = value << 8 | octet;
    return value;
}

std::uint64_t Ea07::encrypt(std::uint64_t block) const {
    std::uint64_t choice = std::rotr(std::rotr(~key(), 12), 3);  // bit 4n + 3 chooses
    for (int i = 0; i < 16; ++i, choice = std::rotl(choice, 1)) block = round(encrypting, block, choice);
    return block;
}

std::uint64_t Ea07::decrypt(std::uint64_t block) const {
    std::uint64_t choice = key();
    block = round(unpermuting, block, 0);
    for (int i = 0; i < 16; ++i, choice = std::rotr(choice, 1)) block = round(decrypting, block, choice);
    return round(permuting, block, 0);
}

}  // namespace wattmesh::sts
