#pragma once
#include "protocol/cosem/parts.h"

/// Clock, class 8. Source: Blue Book ed. 14, 4.5.1.
namespace wattmesh::cosem::clock {

enum class ClockBase : std::uint8_t {
    not_defined = 0,
    internal_crystal = 1,
    mains_frequency_50_hz = 2,
    mains_frequency_60_hz = 3,
    gps = 4,
    radio_controlled = 5,
};
constexpr ClockBase last_of(ClockBase) { return ClockBase::radio_controlled; }

/// Argument of preset_adjusting_time.
struct PresetTime {
    dlms::RawDateTime preset_time, validity_interval_start, validity_interval_end;
    friend bool operator==(const PresetTime&, const PresetTime&) = default;
    static constexpr auto members() {
        return std::tuple{&PresetTime::preset_time, &PresetTime::validity_interval_start,
                          &PresetTime::validity_interval_end};
    }
};

inline constexpr ClassName owner{8, "clock"};
inline constexpr Attribute<dlms::RawDateTime> time{owner, 2, "time", Change::dynamic};
/// Minutes from local time to UTC, as the deviation of a date-time: -60 is Central Europe.
inline constexpr Attribute<std::int16_t> time_zone{owner, 3, "time_zone", Change::fixed};
/// dlms::clock_status bits.
inline constexpr Attribute<std::uint8_t> status{owner, 4, "status", Change::dynamic};
inline constexpr Attribute<dlms::RawDateTime> daylight_savings_begin{owner, 5, "daylight_savings_begin",
                                                                     Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> daylight_savings_end{owner, 6, "daylight_savings_end",
                                                                   Change::fixed};
/// Minutes, -120 to 120.
inline constexpr Attribute<std::int8_t> daylight_savings_deviation{owner, 7, "daylight_savings_deviation",
                                                                   Change::fixed};
inline constexpr Attribute<bool> daylight_savings_enabled{owner, 8, "daylight_savings_enabled",
                                                          Change::fixed};
inline constexpr Attribute<ClockBase> clock_base{owner, 9, "clock_base", Change::fixed};
inline constexpr Method<> adjust_to_quarter{owner, 1, "adjust_to_quarter", Need::optional};
inline constexpr Method<> adjust_to_measuring_period{owner, 2, "adjust_to_measuring_period", Need::optional};
inline constexpr Method<> adjust_to_minute{owner, 3, "adjust_to_minute", Need::optional};
inline constexpr Method<> adjust_to_preset_time{owner, 4, "adjust_to_preset_time", Need::optional};
inline constexpr Method<PresetTime> preset_adjusting_time{owner, 5, "preset_adjusting_time", Need::optional};
/// Seconds, -900 to 900.
inline constexpr Method<std::int16_t> shift_time{owner, 6, "shift_time", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            time,
                                            time_zone,
                                            status,
                                            daylight_savings_begin,
                                            daylight_savings_end,
                                            daylight_savings_deviation,
                                            daylight_savings_enabled,
                                            clock_base};
inline constexpr MethodSpec methods[]{adjust_to_quarter,     adjust_to_measuring_period, adjust_to_minute,
                                      adjust_to_preset_time, preset_adjusting_time,      shift_time};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::clock
