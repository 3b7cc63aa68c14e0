#pragma once
#include <span>

#include "protocol/cosem/schedule.h"
#include "protocol/dlms/date_time_pattern.h"

/// When the entries of a Schedule (class 10) run, and what its methods do to them. Source: Blue Book (DLMS UA
/// 1000-1) ed. 14, 4.5.3 and 4.5.4; [M] what the text leaves open is said at each function.
namespace wattmesh::cosem::schedule {

/// Whether an enabled entry runs on this day: between begin_date and end_date, and on one of its weekdays. A
/// special day overrides the weekday: its day_id then has to be in exec_specdays, whose first bit is day_id 1
/// [M]. Dates with unspecified years come back every year, also over its end.
bool runs_on(const Entry& entry, std::chrono::year_month_day day,
             std::span<const special_days::Entry> specials);

/// The first switch_time at or after `from` and before `until`; its wildcards repeat it, but one without
/// seconds never comes.
std::optional<dlms::LocalTime> next_execution(const Entry& entry, dlms::LocalTime from, dlms::LocalTime until,
                                              std::span<const special_days::Entry> specials);

/// What is to be made up for.
struct Missed {
    dlms::LocalTime due;
    Entry entry;
};
/// The clock went from `from` to `to` without running: entries that were due in between and whose
/// validity_window is not over, in the order of their times and then of their indexes; each only once, as of
/// its last time [M]. At most a year back.
std::vector<Missed> missed(std::span<const Entry> table, dlms::LocalTime from, dlms::LocalTime to,
                           std::span<const special_days::Entry> specials);

/// Method enable_disable: range A is disabled, then range B enabled; an index 0 makes a range empty.
void switch_over(std::vector<Entry>& table, const Switchover& ranges);
/// Method insert: replaces the entry of that index. False when the index is not 1 to 9999.
bool put(std::vector<Entry>& table, const Entry& entry);
/// Method delete: false when no entry was in the range.
bool take_out(std::vector<Entry>& table, const Range& range);

}  // namespace wattmesh::cosem::schedule
