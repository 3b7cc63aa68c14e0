#include "terminal-sim/meter/weather.h"

#include <algorithm>
#include <array>

#include "terminal-sim/meter/chance.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { day_temperature = 0x5E01, day_cloud, slot_cloud };

using Year = std::array<std::int64_t, 12>;
constexpr Year mean_temperature{10, 20, 55, 95, 140, 175, 195, 190, 150, 105, 55, 20};
constexpr Year half_daylight_slots{17, 20, 24, 28, 31, 33, 32, 29, 25, 21, 18, 16};
constexpr Year noon_strength{350, 450, 650, 800, 950, 1000, 1000, 950, 800, 600, 400, 300};

/// Linear between the middles of the months.
std::int64_t through_the_year(const Year& months, IntervalNumber interval) {
    const std::int64_t day = interval / intervals_per_day;
    const std::int64_t day_of_year = day * 4 % 1461 / 4;
    const std::int64_t position = (day_of_year * 12 * 1000 / 366 + 11'500) % 12'000;
    const auto month = static_cast<std::size_t>(position / 1000);
    return (months[month] * (1000 - position % 1000) + months[(month + 1) % 12] * (position % 1000)) / 1000;
}

}  // namespace

std::int64_t Weather::temperature(IntervalNumber interval) const {
    const std::int64_t day = interval / intervals_per_day, slot = interval % intervals_per_day;
    const auto deviation = [&](std::int64_t of) {
        return within(draw(seed_, day_temperature, static_cast<std::uint64_t>(of)), -60, 60);
    };
    const std::int64_t drifting =
        (deviation(day) * (intervals_per_day - slot) + deviation(day + 1) * slot) / intervals_per_day;
    const std::int64_t from_afternoon =
        std::min((slot + 36) % 96, (60 - slot + 96) % 96);  // coldest at 3 h, warmest at 15 h
    return through_the_year(mean_temperature, interval) + drifting +
           (from_afternoon <= 48 ? 40 - from_afternoon * 80 / 48 : -40);
}

std::int64_t Weather::sunshine(IntervalNumber interval) const {
    const std::int64_t from_noon = interval % intervals_per_day - 48;
    const std::int64_t half = through_the_year(half_daylight_slots, interval);
    if (from_noon * from_noon >= half * half) return 0;
    const std::int64_t clear =
        through_the_year(noon_strength, interval) * (half * half - from_noon * from_noon) / (half * half);
    const auto day = static_cast<std::uint64_t>(interval / intervals_per_day);
    const std::int64_t cloud = within(draw(seed_, day_cloud, day), 250, 1000);
    return clear * cloud / 1000 *
           within(draw(seed_, slot_cloud, static_cast<std::uint64_t>(interval)), 700, 1000) / 1000;
}

}  // namespace wattmesh::sim
