#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protocol/modbus/register_map.h"

/// Whether a meter says what its map says. Makers, manuals and programs disagree about word order and the
/// first register (uplink fact sheet 5.5), and a wrong map yields numbers all the same.
namespace wattmesh::modbus {

std::string_view to_string(WordOrder order);
std::optional<WordOrder> word_order_named(std::string_view word);

struct MapCheck {
    enum class Verdict : std::uint8_t {
        untold,  ///< nothing in the answer tells: no frequency and no voltage, or both zero
        fits,
        wrong,
    } verdict{};
    /// Wrong: what was read, and with what word order or base it would be plausible, for a person.
    std::string why{};
};

/// Looks at frequency (45 to 65 Hz) and voltages to neutral (20 V to 1 MV) of one answer; zero is a dead
/// line and tells nothing. `registers` are what was read from the wire address `start` on.
MapCheck check_map(const RegisterMap& map, std::uint16_t start, std::span<const std::uint16_t> registers);

}  // namespace wattmesh::modbus
