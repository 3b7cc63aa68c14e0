#include <algorithm>
#include <array>

#include "terminal-sim/meter/chance.h"
#include "terminal-sim/meter/load.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t {
    base_power = 0x10AD,
    day_shift,
    heating,
    tangent,
    panel,
    capacitor,
    noise,
    appliance,
    appliance_power,
    holiday,
    rounding,
};

/// Thousandths of the mean power, by hour of the day.
using Shape = std::array<std::int64_t, 24>;
constexpr Shape household_workday{450, 400, 380, 370, 380,  500,  900,  1200, 1000, 750,  700,  750,
                                  850, 800, 750, 800, 1000, 1400, 2000, 2300, 2200, 1800, 1200, 700};
constexpr Shape household_weekend{500,  450,  420,  400,  400,  420,  550,  800,  1100, 1300, 1350, 1400,
                                  1500, 1350, 1200, 1150, 1250, 1500, 1900, 2100, 2000, 1700, 1200, 800};
constexpr Shape shop_open{250,  250,  250,  250,  250,  260,  300,  500,  1000, 1700, 2000, 2050,
                          2100, 2050, 2000, 2000, 2050, 2100, 2000, 1500, 700,  400,  300,  250};
constexpr Shape shop_closed{250, 250, 250, 250, 250, 250, 250, 250, 260, 260, 260, 260,
                            260, 260, 260, 260, 260, 260, 250, 250, 250, 250, 250, 250};
constexpr Shape factory_workday{400,  400,  400,  400,  450,  800,  1600, 1900, 1950, 1950, 1900, 1900,
                                1600, 1850, 1900, 1900, 1850, 1800, 1750, 1700, 1600, 1400, 700,  450};
constexpr Shape factory_saturday{400,  400, 400, 400, 450, 700, 1300, 1500, 1550, 1550, 1500, 1500,
                                 1000, 700, 450, 400, 400, 400, 400,  400,  400,  400,  400,  400};
constexpr Shape factory_sunday{400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400,
                               400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400};

const Shape& shape_of(LoadKind kind, int day) {
    const bool saturday = day == 5, sunday = day == 6;
    switch (kind) {
        case LoadKind::shop:
            return sunday ? shop_closed : shop_open;
        case LoadKind::factory:
            return sunday ? factory_sunday : saturday ? factory_saturday : factory_workday;
        default:
            return saturday || sunday ? household_weekend : household_workday;
    }
}

std::int64_t at_slot(const Shape& shape, std::int64_t slot) {
    const auto hour = static_cast<std::size_t>(slot / 4);
    return (shape[hour] * (4 - slot % 4) + shape[(hour + 1) % 24] * (slot % 4)) / 4;
}

}  // namespace

CustomerLoad::CustomerLoad(std::uint64_t seed, const DeviceNumber& meter, LoadKind kind, bool solar)
    : seed_(seed), meter_(meter.integer()), kind_(kind), weather_(seed) {
    const bool household = kind == LoadKind::household, factory = kind == LoadKind::factory;
    const std::uint64_t size = chance(base_power, 0);
    base_watts_ = household ? within(size, 180, 650)
                  : factory ? within(size, 8'000, 40'000)
                            : within(size, 800, 2'500);
    shift_slots_ = within(chance(day_shift, 0), -4, 4);
    const bool heat_pump = chance(heating, 0) % 4 == 0;
    watts_per_tenth_ = household ? base_watts_ / (heat_pump ? 60 : 600) : base_watts_ / 1'500;
    const std::uint64_t lag = chance(tangent, 0);
    tangent_permille_ = household ? within(lag, 150, 350)
                        : factory ? within(lag, 400, 700)
                                  : within(lag, 300, 500);
    panel_watts_ = solar ? within(chance(panel, 0), 2'000, 6'000) : 0;
    capacitor_var_ = chance(capacitor, 0) % 10 == 0 ? base_watts_ / 5 : 0;
}

std::uint64_t CustomerLoad::chance(std::uint64_t stream, std::int64_t of) const {
    return draw(seed_, stream, meter_, static_cast<std::uint64_t>(of));
}

std::int64_t CustomerLoad::consumed_watts(IntervalNumber interval) const {
    const std::int64_t slot = (slot_of_day(interval) + shift_slots_ + intervals_per_day) % intervals_per_day;
    const std::int64_t shape = at_slot(shape_of(kind_, weekday(interval)), slot);
    std::int64_t watts = base_watts_ * shape / 1000;

    const std::int64_t temperature = weather_.temperature(interval);
    if (temperature < 150) watts += (150 - temperature) * watts_per_tenth_;
    if (temperature > 240) watts += (temperature - 240) * watts_per_tenth_;

    if (kind_ == LoadKind::household) {
        const bool away = chance(holiday, interval / (7 * intervals_per_day)) % 40 == 0;
        if (away)
            watts /= 4;
        else if (within(chance(appliance, interval), 0, 999) < shape / 20)
            watts += within(chance(appliance_power, interval), 300, 2'200);
    }
    return watts * within(chance(noise, interval), 850, 1150) / 1000;
}

Energies CustomerLoad::nominal(IntervalNumber interval) const {
    const std::int64_t consumed = consumed_watts(interval);
    const std::int64_t net = consumed - panel_watts_ * weather_.sunshine(interval) / 1000;
    const std::int64_t reactive = consumed * tangent_permille_ / 1000 - capacitor_var_;
    // W to Wh of a quarter hour; the rounded part is drawn, so that the sum keeps no bias
    const auto dither = static_cast<std::int64_t>(chance(rounding, interval) % 4);
    const auto quarter = [&](std::int64_t power) { return (std::max<std::int64_t>(power, 0) + dither) / 4; };
    return {{quarter(net), quarter(-net), quarter(reactive), quarter(-reactive)}};
}

Energies CustomerLoad::during(IntervalNumber interval, Duration elapsed) const {
    const Instant start = from_epoch_us(interval * interval_s * 1'000'000);
    const Duration closed =
        supply_.switches().empty() ? elapsed : supply_.closed_during(start, start + elapsed);
    Energies energies = nominal(interval);
    for (auto& count : energies.channels) count = part_of(count, closed);
    return energies;
}

}  // namespace wattmesh::sim
