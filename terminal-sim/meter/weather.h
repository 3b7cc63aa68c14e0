#pragma once
#include <cstdint>

namespace wattmesh::sim {

/// A quarter hour of true time: number i lasts from i x 900 s to (i + 1) x 900 s after 1970-01-01 UTC.
using IntervalNumber = std::int64_t;
inline constexpr std::int64_t interval_s = 900, intervals_per_day = 96;

/// The town's weather: a temperate year, smooth from day to day, the same for every meter of one seed.
class Weather {
public:
    explicit Weather(std::uint64_t seed) : seed_(seed) {}
    /// Outside air, tenths of a degree Celsius.
    std::int64_t temperature(IntervalNumber interval) const;
    /// What a panel gives, in thousandths of its peak; 0 at night.
    std::int64_t sunshine(IntervalNumber interval) const;

private:
    std::uint64_t seed_;
};

/// 0 = Monday.
constexpr int weekday(IntervalNumber interval) {
    return static_cast<int>((interval / intervals_per_day + 3) % 7);
}
/// Quarter hour of the day, 0..95.
constexpr int slot_of_day(IntervalNumber interval) { return static_cast<int>(interval % intervals_per_day); }

}  // namespace wattmesh::sim
