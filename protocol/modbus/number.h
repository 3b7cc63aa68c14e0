#pragma once
#include <cstdint>
#include <optional>
#include <span>

/// Numbers that lie in several registers: the specification knows 16 bits only, the rest is the maker's
/// habit.
namespace wattmesh::modbus {

enum class NumberType : std::uint8_t { uint16, int16, uint32, int32, uint64, int64, float32, float64 };
constexpr std::uint16_t register_count(NumberType type) {
    if (type <= NumberType::int16) return 1;
    return type == NumberType::uint64 || type == NumberType::int64 || type == NumberType::float64 ? 4 : 2;
}

/// Letters are octets of a 32-bit number, A the highest, in the order of the wire; of 64-bit numbers
/// likewise.
enum class WordOrder : std::uint8_t {
    abcd,  ///< big endian
    cdab,  ///< low register first
    badc,  ///< octets of a register swapped
    dcba,  ///< little endian
};

/// The number in the first register_count(type) registers. Nothing when the meter says "not available": a
/// float that is not finite, an unsigned integer of ones only, the least of a signed type. Integers beyond
/// 2^53 lose their last digits.
std::optional<double> decode_number(std::span<const std::uint16_t> registers, NumberType type,
                                    WordOrder order);
/// The simulated meter's side; integers are rounded and clamped to what their type can say. `out` has
/// register_count(type) registers.
void encode_number(double value, NumberType type, WordOrder order, std::span<std::uint16_t> out);

}  // namespace wattmesh::modbus
