#include "protocol/cosem/obis_names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace wattmesh::cosem {

namespace {

/// Any value of a group.
constexpr std::int16_t any = -1;

/// Groups C, D and E of what has no medium (A = 0).
struct AbstractName {
    std::int16_t c, d, e;
    std::string_view words;
};
constexpr std::array abstract_names{
    AbstractName{0, 1, any, "Billing period"},
    AbstractName{1, 0, any, "Clock"},
    AbstractName{2, 0, any, "Communication port"},
    AbstractName{10, 0, 0, "Global meter reset script table"},
    AbstractName{10, 0, 100, "Tariffication script table"},
    AbstractName{10, 0, 106, "Disconnect control script table"},
    AbstractName{10, 0, 107, "Image activation script table"},
    AbstractName{10, 0, 108, "Push script table"},
    AbstractName{10, 0, any, "Script table"},
    AbstractName{11, 0, any, "Special days table"},
    AbstractName{12, 0, any, "Schedule"},
    AbstractName{13, 0, any, "Activity calendar"},
    AbstractName{14, 0, any, "Register activation"},
    AbstractName{15, 0, 0, "End of billing period schedule"},
    AbstractName{15, 0, 1, "Disconnect control schedule"},
    AbstractName{15, 0, 2, "Image activation schedule"},
    AbstractName{15, 0, 4, "Push schedule"},
    AbstractName{15, 0, any, "Single action schedule"},
    AbstractName{16, any, any, "Register monitor"},
    AbstractName{17, 0, any, "Limiter"},
    AbstractName{19, 0, any, "Account"},
    AbstractName{19, 10, any, "Credit"},
    AbstractName{19, 20, any, "Charge"},
    AbstractName{19, 40, any, "Token gateway"},
    AbstractName{19, 50, any, "IEC 62055-41 attributes"},
    AbstractName{20, 0, any, "IEC local port setup"},
    AbstractName{22, 0, 0, "IEC HDLC setup"},
    AbstractName{24, 1, any, "M-Bus client"},
    AbstractName{24, 2, any, "M-Bus value"},
    AbstractName{24, 3, any, "M-Bus profile"},
    AbstractName{24, 4, any, "M-Bus valve control"},
    AbstractName{24, 5, any, "M-Bus event log"},
    AbstractName{25, 0, 0, "TCP-UDP setup"},
    AbstractName{25, 1, 0, "IPv4 setup"},
    AbstractName{25, 4, 0, "GPRS modem setup"},
    AbstractName{25, 6, 0, "GSM diagnostic"},
    AbstractName{25, 9, any, "Push setup"},
    AbstractName{40, 0, any, "Association"},
    AbstractName{41, 0, 0, "SAP assignment"},
    AbstractName{42, 0, 0, "Logical device name"},
    AbstractName{43, 0, any, "Security setup"},
    AbstractName{43, 1, any, "Invocation counter"},
    AbstractName{44, 0, any, "Image transfer"},
    AbstractName{94, 91, 0, "Cumulative tamper count"},  // countries' own objects: India, IS 15959
    AbstractName{94, 91, 9, "Meter type"},
    AbstractName{94, 91, 10, "Name plate"},
    AbstractName{96, 1, any, "Device id"},
    AbstractName{96, 2, 0, "Number of configuration changes"},
    AbstractName{96, 3, 10, "Disconnect control"},
    AbstractName{96, 5, any, "Internal operating status"},
    AbstractName{96, 7, 0, "Number of power failures, all phases"},
    AbstractName{96, 7, any, "Power failures"},
    AbstractName{96, 8, any, "Operating time"},
    AbstractName{96, 10, 1, "Profile status"},
    AbstractName{96, 11, any, "Event code"},
    AbstractName{96, 12, 5, "Field strength"},
    AbstractName{96, 13, 0, "Consumer message text"},
    AbstractName{96, 14, any, "Active tariff"},
    AbstractName{97, 97, any, "Error register"},
    AbstractName{97, 98, any, "Alarm register"},
    AbstractName{98, 1, any, "Billing profile"},
    AbstractName{99, 98, any, "Event log"},
    AbstractName{99, 97, any, "Power failure log"},
};

/// Groups C and D of electricity (A = 1).
struct ElectricityName {
    std::int16_t c, d;
    std::string_view words;
};
constexpr std::array electricity_names{
    ElectricityName{1, 8, "Active energy import"},
    ElectricityName{2, 8, "Active energy export"},
    ElectricityName{3, 8, "Reactive energy import"},
    ElectricityName{4, 8, "Reactive energy export"},
    ElectricityName{5, 8, "Reactive energy QI"},
    ElectricityName{6, 8, "Reactive energy QII"},
    ElectricityName{7, 8, "Reactive energy QIII"},
    ElectricityName{8, 8, "Reactive energy QIV"},
    ElectricityName{9, 8, "Apparent energy import"},
    ElectricityName{10, 8, "Apparent energy export"},
    ElectricityName{15, 8, "Active energy absolute"},
    ElectricityName{16, 8, "Active energy net"},
    ElectricityName{1, 29, "Active energy import in the interval"},
    ElectricityName{2, 29, "Active energy export in the interval"},
    ElectricityName{5, 29, "Reactive energy QI in the interval"},
    ElectricityName{8, 29, "Reactive energy QIV in the interval"},
    ElectricityName{9, 29, "Apparent energy import in the interval"},
    ElectricityName{10, 29, "Apparent energy export in the interval"},
    ElectricityName{12, 27, "Average voltage in the interval"},
    ElectricityName{11, 27, "Average current in the interval"},
    ElectricityName{1, 7, "Active power import"},
    ElectricityName{2, 7, "Active power export"},
    ElectricityName{3, 7, "Reactive power import"},
    ElectricityName{4, 7, "Reactive power export"},
    ElectricityName{9, 7, "Apparent power"},
    ElectricityName{11, 7, "Current"},
    ElectricityName{12, 7, "Voltage"},
    ElectricityName{13, 7, "Power factor"},
    ElectricityName{14, 7, "Frequency"},
    ElectricityName{31, 7, "Current L1"},
    ElectricityName{32, 7, "Voltage L1"},
    ElectricityName{51, 7, "Current L2"},
    ElectricityName{52, 7, "Voltage L2"},
    ElectricityName{71, 7, "Current L3"},
    ElectricityName{72, 7, "Voltage L3"},
    ElectricityName{91, 7, "Current neutral"},
    ElectricityName{33, 7, "Power factor L1"},
    ElectricityName{53, 7, "Power factor L2"},
    ElectricityName{73, 7, "Power factor L3"},
    ElectricityName{1, 4, "Average active power import"},
    ElectricityName{2, 4, "Average active power export"},
    ElectricityName{1, 6, "Maximum demand active import"},
    ElectricityName{2, 6, "Maximum demand active export"},
    ElectricityName{9, 6, "Maximum demand apparent"},
};

std::string electricity_name(const std::array<std::uint8_t, 6>& g) {
    if (g[2] == 99 && g[3] == 1) return "Load profile";
    if (g[2] == 99 && g[3] == 2) return "Daily profile";
    if (g[2] == 98 && g[3] == 1) return "Billing profile";
    if (g[2] == 98 && g[3] == 2) return "Daily billing profile";
    if (g[2] == 94 && g[3] == 91 && g[4] == 0) return "Instantaneous profile";
    if (g[2] == 94 && g[3] == 91) return "Scaler profile";
    if (g[2] == 0 && g[3] == 2) return g[4] == 8 ? "Firmware signature" : "Firmware version";
    for (const auto& name : electricity_names)
        if (g[2] == name.c && g[3] == name.d)
            return std::string{name.words} + (g[4] > 0 ? " tariff " + std::to_string(g[4]) : "");
    return {};
}

}  // namespace

std::string obis_name(const ObisCode& code) {
    const auto& g = code.groups;
    if (g[0] == 1) return electricity_name(g);
    if (g[0] != 0) return {};
    const auto found = std::find_if(abstract_names.begin(), abstract_names.end(), [&](const auto& name) {
        return (name.c == any || name.c == g[2]) && (name.d == any || name.d == g[3]) &&
               (name.e == any || name.e == g[4]);
    });
    return found == abstract_names.end() ? std::string{} : std::string{found->words};
}

std::string obis_name_or_code(const ObisCode& code) {
    auto name = obis_name(code);
    return name.empty() ? to_string(code) : name;
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

}  // namespace wattmesh::cosem
