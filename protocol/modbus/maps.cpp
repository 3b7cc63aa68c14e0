#include "protocol/modbus/maps.h"

/// Panel meters of Schneider Electric. What their lists print differs from what several programs read; base
/// and word order are therefore checked at commissioning: frequency between 45 and 65 Hz, phase voltages
/// plausible.
namespace wattmesh::modbus::maps {

namespace {

/// 1-0:c.7.0, an instantaneous value.
constexpr ObisCode now(std::uint8_t c) { return {{1, 0, c, 7, 0, 255}}; }
constexpr ObisCode energy(std::uint8_t c) { return {{1, 0, c, 8, 0, 255}}; }
constexpr double kilo = 1'000;

/// Float, in the unit of the quantity.
constexpr Point fast(ObisCode quantity, std::uint16_t number, double scale = 1) {
    return {quantity, number, NumberType::float32, scale, Pace::fast};
}
constexpr Point slow(ObisCode quantity, std::uint16_t number, double scale = 1) {
    return {quantity, number, NumberType::float32, scale, Pace::slow};
}

/// List of the PM2000 family: kW, kvar, kVA, kWh.
constexpr Point ng_points[]{
    fast(now(31), 3000),
    fast(now(51), 3002),
    fast(now(71), 3004),
    fast(now(11), 3010),  // average current
    fast(now(32), 3028),
    fast(now(52), 3030),
    fast(now(72), 3032),
    fast(now(12), 3036),  // average voltage to neutral
    fast(now(36), 3054, kilo),
    fast(now(56), 3056, kilo),
    fast(now(76), 3058, kilo),
    fast(now(16), 3060, kilo),  // total, not 3054
    slow(now(3), 3068, kilo),
    slow(now(9), 3076, kilo),
    {now(13), 3084, NumberType::float32, 1, Pace::slow, true},  // [M]
    slow(now(14), 3110),
    {energy(1), 3204, NumberType::int64, 1, Pace::slow},  // [M] Wh; the float at 2700 has kWh
};

/// Low register first; each quantity stands alone, totals and averages only.
constexpr Point conzerv_points[]{
    slow(now(9), 3901),  fast(now(16), 3903), slow(now(3), 3905),  slow(now(13), 3907),
    fast(now(12), 3911), fast(now(11), 3913), slow(now(14), 3915), slow(energy(1), 3961),
};

/// 43049 and the following, of which 3049 is the register number; [M] W, var, VA, Wh.
constexpr Point em1200_points[]{
    fast(now(36), 3003), fast(now(31), 3009),   fast(now(32), 3013), fast(now(56), 3019), fast(now(51), 3025),
    fast(now(52), 3029), fast(now(76), 3035),   fast(now(71), 3041), fast(now(72), 3045), slow(now(9), 3049),
    fast(now(16), 3051), slow(now(3), 3053),    slow(now(13), 3055), fast(now(11), 3057), fast(now(12), 3061),
    slow(now(14), 3063), slow(energy(1), 3203),
};

}  // namespace

constinit const RegisterMap em6400ng{
    .name = "em6400ng",
    .summary = "Schneider EM6400NG (PM2000 family): floats, high register first",
    .order = WordOrder::abcd,
    .points = ng_points,
    .whole_blocks = {},
};
constinit const RegisterMap em6400{
    .name = "em6400",
    .summary = "Schneider EM6400, the older one of Conzerv: floats, low register first",
    .order = WordOrder::cdab,
    .points = conzerv_points,
    .whole_blocks = {},
};
constinit const RegisterMap em1200{
    .name = "em1200",
    .summary = "Schneider EM1200: floats, low register first",
    .order = WordOrder::cdab,
    .points = em1200_points,
    .whole_blocks = {},
};

}  // namespace wattmesh::modbus::maps
