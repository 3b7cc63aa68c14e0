#include "headend/console/units.h"

#include <array>
#include <cmath>

namespace wattmesh::headend::console {

std::string_view unit_name(int unit) {
    switch (unit) {
        case 1:
            return "a";
        case 6:
            return "min";
        case 7:
            return "s";
        case 8:
            return "°";
        case 9:
            return "°C";
        case 27:
            return "W";
        case 28:
            return "VA";
        case 29:
            return "var";
        case 30:
            return "Wh";
        case 31:
            return "VAh";
        case 32:
            return "varh";
        case 33:
            return "A";
        case 35:
            return "V";
        case 44:
            return "Hz";
        case 56:
            return "%";
        case 70:
            return "dBm";
        default:
            return "";
    }
}

std::string register_name(const ObisCode& code) {
    struct Name {
        std::uint8_t c, d;
        std::string_view words;
    };
    static constexpr std::array names{
        Name{1, 8, "Active energy import"},
        Name{2, 8, "Active energy export"},
        Name{3, 8, "Reactive energy import"},
        Name{4, 8, "Reactive energy export"},
        Name{1, 7, "Active power import"},
        Name{2, 7, "Active power export"},
        Name{32, 7, "Voltage L1"},
        Name{52, 7, "Voltage L2"},
        Name{72, 7, "Voltage L3"},
        Name{31, 7, "Current L1"},
        Name{51, 7, "Current L2"},
        Name{71, 7, "Current L3"},
        Name{13, 7, "Power factor"},
        Name{14, 7, "Frequency"},
    };
    const auto& g = code.groups;
    if (g[0] == 1)
        for (const auto& name : names)
            if (g[2] == name.c && g[3] == name.d)
                return std::string{name.words} + (g[4] > 0 ? " tariff " + std::to_string(g[4]) : "");
    if (code == obis::clock) return "Clock";
    if (code == obis::logical_device_name) return "Logical device name";
    if (code == obis::disconnect_control) return "Disconnect control";
    return to_string(code);
}

std::uint16_t usual_class(const ObisCode& code) {
    const auto& g = code.groups;
    if (g[0] == 0) {
        if (g[2] == 1 && g[3] == 0) return 8;
        if (g[2] == 99 || g[2] == 98) return 7;
        if (g[2] == 96 && g[3] == 3 && g[4] == 10) return 70;
        if (g[2] == 40) return 15;
        return 1;
    }
    if (g[2] == 99 || g[2] == 98) return 7;
    if (g[3] == 4 || g[3] == 5) return 5;
    if (g[3] == 6) return 4;
    return 3;
}

double scaled(std::int64_t value, int scaler) {
    // Dividing by an exact power keeps decimal fractions as near as they come.
    const auto number = static_cast<double>(value);
    return scaler < 0 ? number / std::pow(10.0, -scaler) : number * std::pow(10.0, scaler);
}

}  // namespace wattmesh::headend::console
