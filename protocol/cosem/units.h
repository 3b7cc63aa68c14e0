#pragma once
#include <cstdint>
#include <string_view>

namespace wattmesh::cosem {

/// Physical units. Source: Blue Book ed. 14, 4.3.2, table of units; the code is the number on the wire.
enum class Unit : std::uint8_t {
    minute = 6,
    second = 7,
    currency = 10,
    cubic_metre = 13,
    corrected_cubic_metre = 14,
    watt = 27,
    volt_ampere = 28,
    var = 29,
    watt_hour = 30,
    volt_ampere_hour = 31,
    var_hour = 32,
    ampere = 33,
    volt = 35,
    hertz = 44,
    percent = 56,
    decibel_milliwatt = 70,
    other = 254,
    count = 255,
};

/// As people write it: "Wh" for 30; empty for 255 (no unit) and what is not in the table.
std::string_view unit_name(int unit);
/// value x 10^scaler.
double scaled(std::int64_t value, int scaler);

}  // namespace wattmesh::cosem
