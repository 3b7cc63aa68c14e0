#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/obis.h"

namespace wattmesh::cim {

/// What a reading is, in eighteen numbers. Source: IEC 61968-9, ReadingType; enumerations as in ESPI (NAESB
/// REQ.21).
struct ReadingType {
    int macro_period = 0, aggregate = 0, measuring_period = 0, accumulation = 0, flow = 0, commodity = 0,
        kind = 0;
    std::array<int, 2> interharmonic{}, argument{};
    int tou = 0, cpp = 0, consumption_tier = 0, phases = 0, multiplier = 0, unit = 0, currency = 0;
    bool operator==(const ReadingType&) const = default;
};
/// "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0".
std::string to_string(const ReadingType& type);
/// Eighteen numbers of up to six digits, divided by points, whatever they mean; the multiplier may be
/// negative.
std::optional<ReadingType> parse_reading_type(std::string_view text);

/// How a meter came to a value.
enum class Capture : std::uint8_t {
    state,   ///< of a register, at the moment of reading
    stored,  ///< state of a register at the end of each period
    period,  ///< what the register rose by in the period
};

/// What a value of a register is: `value` x 10^scaler of the unit. Nothing for registers that we know no code
/// of, and for another unit than the register's. `period_s` is of the profile. `unit`: COSEM code (Blue Book
/// ed. 14, 4.3.2).
std::optional<ReadingType> reading_type(const ObisCode& register_, Capture capture, int period_s, int scaler,
                                        int unit);
/// The register whose value, read now, is of this type, whatever the multiplier. Nothing likewise.
std::optional<ObisCode> state_register(const ReadingType& type);

}  // namespace wattmesh::cim
