#pragma once
#include "protocol/cosem/parts.h"

/// Schedule (class 10), Special days table (11) and Single action schedule (22): when scripts run by
/// themselves. Source: Blue Book ed. 14, 4.5.3, 4.5.4 and 4.5.7.
namespace wattmesh::cosem {

namespace schedule {
struct Entry {
    std::uint16_t index = 0;  ///< 1 to 9999
    bool enable = false;
    ObisCode script_logical_name;
    std::uint16_t script_selector = 0;
    dlms::RawTime switch_time;
    std::uint16_t validity_window = 0xFFFF;  ///< minutes; 0xFFFF: at any time
    dlms::BitString exec_weekdays;           ///< Monday first
    dlms::BitString exec_specdays;
    dlms::RawDate begin_date, end_date;
    friend bool operator==(const Entry&, const Entry&) = default;
    static constexpr auto members() {
        return std::tuple{&Entry::index,           &Entry::enable,        &Entry::script_logical_name,
                          &Entry::script_selector, &Entry::switch_time,   &Entry::validity_window,
                          &Entry::exec_weekdays,   &Entry::exec_specdays, &Entry::begin_date,
                          &Entry::end_date};
    }
};
/// Argument of enable_disable: entries of the first range are disabled, those of the second enabled.
struct Switchover {
    std::uint16_t first_index_a = 0, last_index_a = 0, first_index_b = 0, last_index_b = 0;
    friend bool operator==(const Switchover&, const Switchover&) = default;
    static constexpr auto members() {
        return std::tuple{&Switchover::first_index_a, &Switchover::last_index_a, &Switchover::first_index_b,
                          &Switchover::last_index_b};
    }
};
struct Range {
    std::uint16_t first_index = 0, last_index = 0;
    friend bool operator==(const Range&, const Range&) = default;
    static constexpr auto members() { return std::tuple{&Range::first_index, &Range::last_index}; }
};

inline constexpr ClassName owner{10, "schedule"};
inline constexpr Attribute<std::vector<Entry>> entries{owner, 2, "entries", Change::fixed};
inline constexpr Method<Switchover> enable_disable{owner, 1, "enable_disable", Need::optional};
inline constexpr Method<Entry> insert{owner, 2, "insert", Need::optional};
inline constexpr Method<Range> delete_{owner, 3, "delete", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, entries};
inline constexpr MethodSpec methods[]{enable_disable, insert, delete_};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace schedule

namespace special_days {
struct Entry {
    std::uint16_t index = 0;
    dlms::RawDate specialday_date;
    std::uint8_t day_id = 0;  ///< a day of the activity calendar's day profile table
    friend bool operator==(const Entry&, const Entry&) = default;
    static constexpr auto members() {
        return std::tuple{&Entry::index, &Entry::specialday_date, &Entry::day_id};
    }
};

inline constexpr ClassName owner{11, "special_days_table"};
inline constexpr Attribute<std::vector<Entry>> entries{owner, 2, "entries", Change::fixed};
inline constexpr Method<Entry> insert{owner, 1, "insert", Need::optional};
inline constexpr Method<std::uint16_t> delete_{owner, 2, "delete", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name, entries};
inline constexpr MethodSpec methods[]{insert, delete_};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace special_days

namespace single_action_schedule {
/// Whether the execution times share a time of day, and may have wildcards in the date.
enum class ScheduleType : std::uint8_t {
    one_time_wildcard_date = 1,
    same_times_fixed_dates = 2,
    same_times_wildcard_dates = 3,
    different_times_fixed_dates = 4,
    different_times_wildcard_dates = 5,
};
constexpr ScheduleType last_of(ScheduleType) { return ScheduleType::different_times_wildcard_dates; }
struct ExecutionTime {
    dlms::RawTime time;
    dlms::RawDate date;
    friend bool operator==(const ExecutionTime&, const ExecutionTime&) = default;
    static constexpr auto members() { return std::tuple{&ExecutionTime::time, &ExecutionTime::date}; }
};

inline constexpr ClassName owner{22, "single_action_schedule"};
inline constexpr Attribute<ActionItem> executed_script{owner, 2, "executed_script", Change::fixed};
inline constexpr Attribute<ScheduleType> type{owner, 3, "type", Change::fixed};
inline constexpr Attribute<std::vector<ExecutionTime>> execution_time{owner, 4, "execution_time",
                                                                      Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name, executed_script, type, execution_time};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};

/// A date-time split in the two halves that execution_time has; the deviation does not travel.
ExecutionTime execution_at(const dlms::RawDateTime& at);
}  // namespace single_action_schedule

}  // namespace wattmesh::cosem
