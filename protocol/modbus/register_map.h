#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/obis.h"
#include "protocol/modbus/number.h"
#include "protocol/modbus/pdu.h"

/// What a kind of meter says in which register. A new kind is a file in maps.
namespace wattmesh::modbus {

enum class Pace : std::uint8_t { fast, slow };

struct Point {
    /// COSEM name of the quantity, in the unit that the register has there (W, var, VA, Wh, V, A, Hz).
    ObisCode quantity;
    std::uint16_t number = 0;  ///< as the maker prints it
    NumberType type = NumberType::float32;
    double scale = 1;  ///< what the number is multiplied by, to be in that unit
    Pace pace = Pace::fast;
    /// The number is a power factor in four quadrants, -2 to 2: above 1 it means 2 - x leading, below -1 it
    /// means -2 - x leading.
    bool four_quadrants = false;
};

/// Registers that are answered together or not at all, as the maker prints them.
struct WholeBlock {
    std::uint16_t first = 0, count = 0;
};

struct RegisterMap {
    std::string_view name, summary;
    Function function = Function::read_holding_registers;
    std::uint16_t base = 1;  ///< the printed number of the register with address 0
    WordOrder order = WordOrder::abcd;
    std::span<const Point> points;
    std::span<const WholeBlock> whole_blocks;
};
const RegisterMap* find_map(std::string_view name);
std::span<const RegisterMap* const> all_maps();

/// One request and the points that its answer holds.
struct Block {
    Read read;
    std::vector<std::size_t> points;  ///< positions in the map
};
struct BlockLimits {
    std::uint16_t registers_max = read_registers_max;
    /// Registers of no interest that are rather read than a second request sent: a request costs about as
    /// much time as 20 registers.
    std::uint16_t gap_max = 20;
};
/// The fewest requests for the points of one pace, in order of address. Points of a whole block are asked for
/// with all of it. Asserts that every point and whole block fits one request.
std::vector<Block> blocks(const RegisterMap& map, Pace pace, const BlockLimits& limits = {});

/// The point's value in the unit of its quantity; nothing when the meter says "not available". `registers`
/// are the answer to `block`.
std::optional<double> value_of(const RegisterMap& map, const Point& point, const Block& block,
                               std::span<const std::uint16_t> registers);

/// A power factor of four quadrants as -1 to 1, negative where power is exported.
double power_factor(double four_quadrants);

}  // namespace wattmesh::modbus
