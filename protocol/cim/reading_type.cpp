#include "protocol/cim/reading_type.h"

#include <algorithm>

namespace wattmesh::cim {
namespace {

// Numbers of the standard's enumerations, of part and meaning.
constexpr int daily = 11, instant = 12, delta = 4, bulk = 1, summation = 9, electricity = 1;
constexpr int energy = 12, power = 37, power_factor = 38, frequency = 15, current = 4, voltage = 158;
constexpr int forward = 1, lagging = 2, leading = 3, net = 4, reverse = 19, absolute = 20, quadrant_1 = 15;
constexpr int phase_a = 128, phase_b = 64, phase_c = 32, neutral = 16;

struct Unit {
    int cosem, cim;
};
constexpr Unit watt{27, 38}, volt_ampere{28, 61}, var{29, 63}, watt_hour{30, 72}, volt_ampere_hour{31, 71},
    var_hour{32, 73}, ampere{33, 5}, volt{35, 29}, hertz{44, 33}, none{255, 65};

/// Value group C of OBIS (IEC 62056-6-1, electricity) for D = 8 and 29: energies.
struct Row {
    int c, kind, flow, phases;
    Unit unit;
};
constexpr Row energies[] = {
    {1, energy, forward, 0, watt_hour},        {2, energy, reverse, 0, watt_hour},
    {3, energy, lagging, 0, var_hour},         {4, energy, leading, 0, var_hour},
    {5, energy, quadrant_1, 0, var_hour},      {6, energy, quadrant_1 + 1, 0, var_hour},
    {7, energy, quadrant_1 + 2, 0, var_hour},  {8, energy, quadrant_1 + 3, 0, var_hour},
    {9, energy, forward, 0, volt_ampere_hour}, {10, energy, reverse, 0, volt_ampere_hour},
    {15, energy, absolute, 0, watt_hour},      {16, energy, net, 0, watt_hour},
};
/// The same for D = 7: instantaneous values.
constexpr Row instantaneous[] = {
    {1, power, forward, 0, watt},
    {2, power, reverse, 0, watt},
    {3, power, forward, 0, var},
    {4, power, reverse, 0, var},
    {9, power, forward, 0, volt_ampere},
    {11, current, forward, 0, ampere},
    {12, voltage, 0, 0, volt},
    {13, power_factor, 0, 0, none},
    {14, frequency, 0, 0, hertz},
    {16, power, net, 0, watt},
    {31, current, forward, phase_a, ampere},
    {32, voltage, 0, phase_a, volt},
    {36, power, net, phase_a, watt},
    {51, current, forward, phase_b, ampere},
    {52, voltage, 0, phase_b, volt},
    {56, power, net, phase_b, watt},
    {71, current, forward, phase_c, ampere},
    {72, voltage, 0, phase_c, volt},
    {76, power, net, phase_c, watt},
    {91, current, forward, neutral, ampere},
};

struct Period {
    int seconds, code;
};
constexpr Period periods[] = {{60, 3},  {120, 10},  {180, 14}, {300, 6},  {600, 1},
                              {900, 2}, {1200, 31}, {1800, 5}, {3600, 7}, {86'400, 4}};

template <std::size_t size>
const Row* row_of(const Row (&rows)[size], int c, int unit) {
    for (const auto& row : rows)
        if (row.c == c && row.unit.cosem == unit) return &row;
    return nullptr;
}

/// False for a period that has no code.
bool set_period(ReadingType& type, Capture capture, int period_s) {
    if (capture == Capture::state) return true;
    if (capture == Capture::stored && period_s == 86'400) {
        type.macro_period = daily;
        return true;
    }
    for (const auto& period : periods)
        if (period.seconds == period_s) {
            type.measuring_period = period.code;
            return true;
        }
    return false;
}

}  // namespace

std::optional<ReadingType> reading_type(const ObisCode& register_, Capture capture, int period_s, int scaler,
                                        int unit) {
    const auto [a, b, c, d, e, f] = register_.groups;
    if (a != 1 || f != 255) return std::nullopt;
    ReadingType type{.commodity = electricity, .multiplier = scaler};
    const Row* row = nullptr;
    if (d == 8 || d == 29) {
        row = row_of(energies, c, unit);
        type.tou = e;
        const bool rises = capture == Capture::period || d == 29;
        type.accumulation = rises ? delta : e == 0 ? bulk : summation;
        if (!set_period(type, rises ? Capture::period : capture, period_s)) return std::nullopt;
    } else if (d == 7 && e == 0 && capture != Capture::period) {
        row = row_of(instantaneous, c, unit);
        type.accumulation = instant;
    }
    if (row == nullptr) return std::nullopt;
    type.flow = row->flow;
    type.kind = row->kind;
    type.phases = row->phases;
    type.unit = row->unit.cim;
    return type;
}

std::optional<ObisCode> state_register(const ReadingType& type) {
    const auto fits = [&](const Row& row, int d) -> std::optional<ObisCode> {
        if (type.tou < 0 || type.tou > 63) return std::nullopt;
        const ObisCode code{{1, 0, static_cast<std::uint8_t>(row.c), static_cast<std::uint8_t>(d),
                             static_cast<std::uint8_t>(type.tou), 255}};
        const auto made = reading_type(code, Capture::state, 0, type.multiplier, row.unit.cosem);
        return made == type ? std::optional{code} : std::nullopt;
    };
    for (const auto& row : energies)
        if (const auto code = fits(row, 8)) return code;
    for (const auto& row : instantaneous)
        if (const auto code = fits(row, 7)) return code;
    return std::nullopt;
}

std::optional<ReadingType> parse_reading_type(std::string_view text) {
    constexpr std::size_t parts = 18, digits_max = 6, multiplier = 15;
    std::array<int, parts> found{};
    std::size_t part = 0;
    for (; part < parts && !text.empty(); ++part) {
        const auto end = std::min(text.find('.'), text.size());
        auto word = text.substr(0, end);
        const bool negative = part == multiplier && word.starts_with('-');
        if (negative) word.remove_prefix(1);
        if (word.empty() || word.size() > digits_max) return std::nullopt;
        for (const char c : word) {
            if (c < '0' || c > '9') return std::nullopt;
            found[part] = found[part] * 10 + (c - '0');
        }
        if (negative) found[part] = -found[part];
        if (end == text.size()) {
            text = {};
        } else {
            text.remove_prefix(end + 1);
            if (text.empty()) return std::nullopt;  // ends in a point
        }
    }
    if (part != parts || !text.empty()) return std::nullopt;
    return ReadingType{.macro_period = found[0],
                       .aggregate = found[1],
                       .measuring_period = found[2],
                       .accumulation = found[3],
                       .flow = found[4],
                       .commodity = found[5],
                       .kind = found[6],
                       .interharmonic = {found[7], found[8]},
                       .argument = {found[9], found[10]},
                       .tou = found[11],
                       .cpp = found[12],
                       .consumption_tier = found[13],
                       .phases = found[14],
                       .multiplier = found[15],
                       .unit = found[16],
                       .currency = found[17]};
}

std::string to_string(const ReadingType& type) {
    const int parts[] = {type.macro_period,
                         type.aggregate,
                         type.measuring_period,
                         type.accumulation,
                         type.flow,
                         type.commodity,
                         type.kind,
                         type.interharmonic[0],
                         type.interharmonic[1],
                         type.argument[0],
                         type.argument[1],
                         type.tou,
                         type.cpp,
                         type.consumption_tier,
                         type.phases,
                         type.multiplier,
                         type.unit,
                         type.currency};
    std::string text;
    for (const int part : parts) text += (text.empty() ? "" : ".") + std::to_string(part);
    return text;
}

}  // namespace wattmesh::cim
