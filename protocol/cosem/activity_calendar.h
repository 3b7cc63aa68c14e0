#pragma once
#include "protocol/cosem/parts.h"

/// Activity calendar, class 20: seasons, weeks and days of a tariff. Source: Blue Book ed. 14, 4.5.5.
namespace wattmesh::cosem::activity_calendar {

struct Season {
    Buffer season_profile_name;
    dlms::RawDateTime season_start;
    Buffer week_name;
    friend bool operator==(const Season&, const Season&) = default;
    static constexpr auto members() {
        return std::tuple{&Season::season_profile_name, &Season::season_start, &Season::week_name};
    }
};
/// Day ids of a week.
struct Week {
    Buffer week_profile_name;
    std::uint8_t monday = 0, tuesday = 0, wednesday = 0, thursday = 0, friday = 0, saturday = 0, sunday = 0;
    friend bool operator==(const Week&, const Week&) = default;
    static constexpr auto members() {
        return std::tuple{&Week::week_profile_name, &Week::monday, &Week::tuesday,  &Week::wednesday,
                          &Week::thursday,          &Week::friday, &Week::saturday, &Week::sunday};
    }
};
struct DayAction {
    dlms::RawTime start_time;
    ObisCode script_logical_name;
    std::uint16_t script_selector = 0;
    friend bool operator==(const DayAction&, const DayAction&) = default;
    static constexpr auto members() {
        return std::tuple{&DayAction::start_time, &DayAction::script_logical_name,
                          &DayAction::script_selector};
    }
};
struct Day {
    std::uint8_t day_id = 0;
    std::vector<DayAction> day_schedule;
    friend bool operator==(const Day&, const Day&) = default;
    static constexpr auto members() { return std::tuple{&Day::day_id, &Day::day_schedule}; }
};

inline constexpr ClassName owner{20, "activity_calendar"};
inline constexpr Attribute<Buffer> calendar_name_active{owner, 2, "calendar_name_active", Change::fixed};
inline constexpr Attribute<std::vector<Season>> season_profile_active{owner, 3, "season_profile_active",
                                                                      Change::fixed};
inline constexpr Attribute<std::vector<Week>> week_profile_table_active{owner, 4, "week_profile_table_active",
                                                                        Change::fixed};
inline constexpr Attribute<std::vector<Day>> day_profile_table_active{owner, 5, "day_profile_table_active",
                                                                      Change::fixed};
inline constexpr Attribute<Buffer> calendar_name_passive{owner, 6, "calendar_name_passive", Change::fixed};
inline constexpr Attribute<std::vector<Season>> season_profile_passive{owner, 7, "season_profile_passive",
                                                                       Change::fixed};
inline constexpr Attribute<std::vector<Week>> week_profile_table_passive{
    owner, 8, "week_profile_table_passive", Change::fixed};
inline constexpr Attribute<std::vector<Day>> day_profile_table_passive{owner, 9, "day_profile_table_passive",
                                                                       Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> activate_passive_calendar_time{
    owner, 10, "activate_passive_calendar_time", Change::fixed};
inline constexpr Method<> activate_passive_calendar{owner, 1, "activate_passive_calendar", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            calendar_name_active,
                                            season_profile_active,
                                            week_profile_table_active,
                                            day_profile_table_active,
                                            calendar_name_passive,
                                            season_profile_passive,
                                            week_profile_table_passive,
                                            day_profile_table_passive,
                                            activate_passive_calendar_time};
inline constexpr MethodSpec methods[]{activate_passive_calendar};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};

}  // namespace wattmesh::cosem::activity_calendar
