#include "protocol/cosem/schedule_times.h"

#include <algorithm>

namespace wattmesh::cosem::schedule {

using dlms::DatePattern;
using dlms::LocalTime;

namespace {

using Day = std::chrono::year_month_day;

bool bit(const dlms::BitString& bits, std::size_t index) {
    return index < bits.bits && index / 8 < bits.octets.size() &&
           (bits.octets[index / 8] & (0x80U >> index % 8)) != 0;
}

/// Below 0: `day` is before the bound, by what the bound specifies.
int compare(Day day, const DatePattern& bound) {
    const auto sign = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
    if (bound.year != dlms::any_year)
        if (const int by_year = sign(int{day.year()}, int{bound.year})) return by_year;
    const bool any_month = bound.month > 12;
    if (!any_month)
        if (const int by_month = sign(unsigned{day.month()}, unsigned{bound.month})) return by_month;
    if (bound.day == dlms::any_field) return 0;
    unsigned wanted = bound.day;
    if (wanted > 31) {
        const auto last = (day.year() / day.month() / std::chrono::last).day();
        wanted = unsigned{last} - (bound.day == dlms::day_second_last ? 1 : 0);
    }
    return sign(unsigned{day.day()}, wanted);
}

/// Between two dates, both included; a yearly range whose end is before its begin goes over New Year.
bool within(Day day, const dlms::RawDate& begin, const dlms::RawDate& end) {
    const auto from = dlms::decode_date(begin.octets), to = dlms::decode_date(end.octets);
    if (!from || !to) return false;
    const bool after = compare(day, *from) >= 0, before = compare(day, *to) <= 0;
    const bool yearly =
        from->year == dlms::any_year && to->year == dlms::any_year && from->month <= 12 && to->month <= 12;
    const bool over_new_year = yearly && std::pair{from->month, from->day} > std::pair{to->month, to->day};
    return over_new_year ? after || before : after && before;
}

Day day_of(LocalTime at) { return Day{std::chrono::floor<std::chrono::days>(at)}; }

}  // namespace

bool runs_on(const Entry& entry, Day day, std::span<const special_days::Entry> specials) {
    if (!entry.enable || !within(day, entry.begin_date, entry.end_date)) return false;
    for (const auto& special : specials) {
        const auto date = dlms::decode_date(special.specialday_date.octets);
        if (date && dlms::matches(*date, day))
            return special.day_id > 0 && bit(entry.exec_specdays, special.day_id - 1U);
    }
    const std::chrono::weekday weekday{std::chrono::local_days{day}};
    return bit(entry.exec_weekdays, weekday.iso_encoding() - 1);
}

std::optional<LocalTime> next_execution(const Entry& entry, LocalTime from, LocalTime until,
                                        std::span<const special_days::Entry> specials) {
    const auto time = dlms::decode_time(entry.switch_time.octets);
    if (!time || time->second == dlms::any_field) return std::nullopt;
    for (auto day = std::chrono::floor<std::chrono::days>(from); day < until; day += std::chrono::days{1}) {
        if (!runs_on(entry, day_of(day), specials)) continue;
        const auto at = dlms::next_match({{}, *time, {}, {}}, std::max<LocalTime>(from, day));
        if (at && *at < until && *at < day + std::chrono::days{1}) return at;
    }
    return std::nullopt;
}

std::vector<Missed> missed(std::span<const Entry> table, LocalTime from, LocalTime to,
                           std::span<const special_days::Entry> specials) {
    constexpr std::uint16_t any_time = 0xFFFF;
    from = std::max<LocalTime>(from, to - std::chrono::days{366});
    std::vector<Missed> found;
    for (const auto& entry : table) {
        const std::chrono::minutes window{entry.validity_window};
        const LocalTime oldest =
            entry.validity_window == any_time ? from : std::max<LocalTime>(from, to - window);
        std::optional<LocalTime> last;
        // Day by day from the end: the last time of the last day that has one.
        for (auto day = std::chrono::floor<std::chrono::days>(to);
             !last && day + std::chrono::days{1} > oldest; day -= std::chrono::days{1}) {
            LocalTime begin = std::max<LocalTime>(oldest, day);
            const LocalTime end = std::min<LocalTime>(to, day + std::chrono::days{1});
            while (const auto at = next_execution(entry, begin, end, specials)) {
                last = at;
                begin = *at + Duration{1};
            }
        }
        if (last) found.push_back({*last, entry});
    }
    std::ranges::sort(found, [](const Missed& a, const Missed& b) {
        return std::pair{a.due, a.entry.index} < std::pair{b.due, b.entry.index};
    });
    return found;
}

void switch_over(std::vector<Entry>& table, const Switchover& ranges) {
    const auto in = [](std::uint16_t index, std::uint16_t first, std::uint16_t last) {
        return first != 0 && last != 0 && index >= first && index <= last;
    };
    for (auto& entry : table) {
        if (in(entry.index, ranges.first_index_a, ranges.last_index_a)) entry.enable = false;
        if (in(entry.index, ranges.first_index_b, ranges.last_index_b)) entry.enable = true;
    }
}

bool put(std::vector<Entry>& table, const Entry& entry) {
    constexpr std::uint16_t index_max = 9999;
    if (entry.index == 0 || entry.index > index_max) return false;
    std::erase_if(table, [&](const Entry& old) { return old.index == entry.index; });
    table.push_back(entry);
    return true;
}

bool take_out(std::vector<Entry>& table, const Range& range) {
    return std::erase_if(table, [&](const Entry& entry) {
               return entry.index >= range.first_index && entry.index <= range.last_index;
           }) > 0;
}

}  // namespace wattmesh::cosem::schedule
