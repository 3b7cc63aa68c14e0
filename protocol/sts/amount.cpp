#include "protocol/sts/amount.h"

#include <cassert>

namespace wattmesh::sts {
namespace {

constexpr unsigned mantissa_bits = 14;
constexpr std::uint32_t mantissa_count = 1u << mantissa_bits;

/// Exponent in the upper bits, mantissa below. A mantissa that rounds up to 2^14 carries into the exponent,
/// which is the right value. `count` is not negative.
template <class Number>
std::optional<std::uint32_t> encode(Number count, std::uint32_t exponent_max, bool round_up) {
    Number base = 0, step = 1;
    std::uint32_t exponent = 0;
    while (exponent < exponent_max && count - base >= step * mantissa_count) {
        base += step * mantissa_count;
        step *= 10;
        ++exponent;
    }
    const Number rest = count - base, mantissa = round_up ? (rest + step - 1) / step : rest / step;
    const Number limit = exponent == exponent_max ? mantissa_count - 1 : mantissa_count;
    if (mantissa > limit) return std::nullopt;
    return (exponent << mantissa_bits) + static_cast<std::uint32_t>(mantissa);
}

template <class Number>
Number decode(std::uint32_t field) {
    Number base = 0, step = 1;
    for (std::uint32_t exponent = field >> mantissa_bits; exponent > 0; --exponent) {
        base += step * mantissa_count;
        step *= 10;
    }
    return base + step * (field & (mantissa_count - 1));
}

constexpr std::uint32_t sign_bit = 1u << 19, currency_exponent_max = 31, units_exponent_max = 3;

}  // namespace

std::optional<std::uint16_t> encode_units(std::uint64_t units) {
    if (units > units_max) return std::nullopt;
    const auto field = encode<std::uint64_t>(units, units_exponent_max, true);
    if (!field) return std::nullopt;
    return static_cast<std::uint16_t>(*field);
}

std::uint32_t decode_units(std::uint16_t field) { return decode<std::uint32_t>(field); }

std::optional<std::uint32_t> encode_currency(CurrencyCount count) {
    constexpr std::uint32_t largest = (currency_exponent_max << mantissa_bits) + mantissa_count - 1;
    const CurrencyCount bound = decode<CurrencyCount>(largest);
    if (count > bound || count < -bound) return std::nullopt;
    const auto field = encode<CurrencyCount>(count < 0 ? -count : count, currency_exponent_max, count >= 0);
    if (!field) return std::nullopt;
    return count < 0 ? *field | sign_bit : *field;
}

CurrencyCount decode_currency(std::uint32_t field) {
    assert(field < 1u << 20);
    const auto magnitude = decode<CurrencyCount>(field & (sign_bit - 1));
    return (field & sign_bit) != 0 ? -magnitude : magnitude;
}

std::string currency_text(CurrencyCount count) {
    std::string reversed;
    CurrencyCount rest = count < 0 ? -count : count;
    for (int digits = 0; digits < 6 || rest > 0; ++digits, rest /= 10) {
        if (digits == 5) reversed += '.';
        reversed += static_cast<char>('0' + static_cast<int>(rest % 10));
    }
    if (count < 0) reversed += '-';
    return {reversed.rbegin(), reversed.rend()};
}

std::string tenths_text(std::uint64_t tenths) {
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace wattmesh::sts
