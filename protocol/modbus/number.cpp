#include "protocol/modbus/number.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace wattmesh::modbus {

namespace {

bool low_first(WordOrder order) { return order == WordOrder::cdab || order == WordOrder::dcba; }
std::uint16_t swapped(std::uint16_t value, WordOrder order) {
    const bool swap = order == WordOrder::badc || order == WordOrder::dcba;
    return swap ? static_cast<std::uint16_t>(value << 8 | value >> 8) : value;
}

template <class Signed>
std::optional<double> signed_number(std::uint64_t bits) {
    const auto value = static_cast<Signed>(bits);
    // All ones are a value of most meters (-1); the least number is one of none.
    if (value == std::numeric_limits<Signed>::min()) return std::nullopt;
    return static_cast<double>(value);
}
template <class Unsigned>
std::optional<double> unsigned_number(std::uint64_t bits) {
    const auto value = static_cast<Unsigned>(bits);
    if (value == std::numeric_limits<Unsigned>::max()) return std::nullopt;
    return static_cast<double>(value);
}
std::optional<double> finite(double value) {
    return std::isfinite(value) ? std::optional{value} : std::nullopt;
}

template <class Integer>
std::uint64_t rounded(double value) {
    constexpr auto least = std::numeric_limits<Integer>::min(), most = std::numeric_limits<Integer>::max();
    const double whole = std::nearbyint(value);
    if (!(whole > static_cast<double>(least))) return static_cast<std::make_unsigned_t<Integer>>(least);
    if (whole >= static_cast<double>(most)) return static_cast<std::make_unsigned_t<Integer>>(most);
    return static_cast<std::make_unsigned_t<Integer>>(static_cast<Integer>(whole));
}

std::uint64_t bits_of(double value, NumberType type) {
    switch (type) {
        case NumberType::uint16:
            return rounded<std::uint16_t>(value);
        case NumberType::int16:
            return rounded<std::int16_t>(value);
        case NumberType::uint32:
            return rounded<std::uint32_t>(value);
        case NumberType::int32:
            return rounded<std::int32_t>(value);
        case NumberType::uint64:
            return rounded<std::uint64_t>(value);
        case NumberType::int64:
            return rounded<std::int64_t>(value);
        case NumberType::float32:
            return std::bit_cast<std::uint32_t>(static_cast<float>(value));
        case NumberType::float64:
            return std::bit_cast<std::uint64_t>(value);
    }
    return 0;
}

}  // namespace

std::optional<double> decode_number(std::span<const std::uint16_t> registers, NumberType type,
                                    WordOrder order) {
    const std::size_t count = register_count(type);
    assert(registers.size() >= count);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < count; ++i)
        bits = bits << 16 | swapped(registers[low_first(order) ? count - 1 - i : i], order);
    switch (type) {
        case NumberType::uint16:
            return unsigned_number<std::uint16_t>(bits);
        case NumberType::int16:
            return signed_number<std::int16_t>(bits);
        case NumberType::uint32:
            return unsigned_number<std::uint32_t>(bits);
        case NumberType::int32:
            return signed_number<std::int32_t>(bits);
        case NumberType::uint64:
            return unsigned_number<std::uint64_t>(bits);
        case NumberType::int64:
            return signed_number<std::int64_t>(bits);
        case NumberType::float32:
            return finite(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
        case NumberType::float64:
            return finite(std::bit_cast<double>(bits));
    }
    return std::nullopt;
}

void encode_number(double value, NumberType type, WordOrder order, std::span<std::uint16_t> out) {
    const std::size_t count = register_count(type);
    assert(out.size() >= count);
    const std::uint64_t bits = bits_of(value, type);
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = static_cast<std::uint16_t>(bits >> (16 * (count - 1 - i)));
        out[low_first(order) ? count - 1 - i : i] = swapped(word, order);
    }
}

}  // namespace wattmesh::modbus
