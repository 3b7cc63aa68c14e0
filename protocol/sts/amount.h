#pragma once
#include <cstdint>
#include <optional>
#include <string>

/// How amounts are written into tokens: an exponent and a mantissa, steps that grow tenfold. Rounding is
/// always in the customer's favour. Source: IEC 62055-41, 6.3.6 (16 bits) and edition 3 (20 bits).
namespace wattmesh::sts {

/// Of credit (0.1 kWh, 0.1 m3, 0.1 minute) and of limits (W): 2 bits of exponent, 14 of mantissa.
inline constexpr std::uint32_t units_max = 18'201'624;
/// The field whose value is the smallest that is not below `units`; nothing above units_max.
std::optional<std::uint16_t> encode_units(std::uint64_t units);
/// What a meter reads from the field.
std::uint32_t decode_units(std::uint16_t field);

/// Hundred-thousandths of the base currency; a field reaches 1.82 * 10^35 of them.
__extension__ using CurrencyCount = __int128;
/// 20 bits: sign, 5 of exponent, 14 of mantissa. The field whose value is the smallest that is not below
/// `count` (of a negative one: whose magnitude is the greatest not above); nothing where none is.
std::optional<std::uint32_t> encode_currency(CurrencyCount count);
/// `field`: 20 bits.
CurrencyCount decode_currency(std::uint32_t field);
/// In the base currency, with five decimals: "-0.99994".
std::string currency_text(CurrencyCount count);
/// In whole units with one decimal: "25.6".
std::string tenths_text(std::uint64_t tenths);

}  // namespace wattmesh::sts
