#include "protocol/dlms/date_time_pattern.h"

#include "protocol/base/reader.h"

namespace wattmesh::dlms {

namespace {

constexpr int deviation_minutes_max = 14 * 60;
constexpr std::uint16_t deviation_unspecified = 0x8000;

bool in(std::uint8_t field, int low, int high) { return field >= low && field <= high; }

DatePattern read_date(Reader& in) {
    return {.year = in.u16(), .month = in.u8(), .day = in.u8(), .weekday = in.u8()};
}
TimePattern read_time(Reader& in) {
    return {.hour = in.u8(), .minute = in.u8(), .second = in.u8(), .hundredths = in.u8()};
}

bool valid(const DatePattern& date) {
    const bool year = date.year == any_year || (date.year >= 1 && date.year <= 9'999);
    const bool month = in(date.month, 1, 12) || date.month >= month_saving_ends;
    const bool day = in(date.day, 1, 31) || date.day >= day_second_last;
    return year && month && day && (in(date.weekday, 1, 7) || date.weekday == any_field);
}
bool valid(const TimePattern& time) {
    const auto below = [](std::uint8_t field, int bound) { return field < bound || field == any_field; };
    return below(time.hour, 24) && below(time.minute, 60) && below(time.second, 60) &&
           below(time.hundredths, 100);
}

/// The day rules alone; `date` lies in a month that matches.
bool matches_day(const DatePattern& pattern, std::chrono::year_month_day date) {
    using namespace std::chrono;
    const sys_days day{date};
    const bool weekday_matches =
        pattern.weekday == any_field || weekday{day}.iso_encoding() == pattern.weekday;
    const unsigned number{date.day()};
    const unsigned last{year_month_day_last{date.year(), month_day_last{date.month()}}.day()};
    const unsigned step = pattern.weekday == any_field ? 1 : 7;
    if (pattern.day == any_field) return weekday_matches;
    if (pattern.day == day_last) return weekday_matches && number + step > last;
    if (pattern.day == day_second_last)
        return weekday_matches && number + step <= last && number + 2 * step > last;
    return weekday_matches && number == pattern.day;
}

/// In any year a day with a weekday means that weekday on or after the day, be it in the month that follows.
bool is_on_or_after(const DatePattern& pattern) {
    return pattern.year == any_year && in(pattern.day, 1, 31) && pattern.weekday != any_field;
}

/// Months of daylight saving replaced by what they stand for; nothing without `saving`.
std::optional<DatePattern> resolved(DatePattern pattern, const DaylightSaving* saving) {
    if (pattern.month != month_saving_begins && pattern.month != month_saving_ends) return pattern;
    if (saving == nullptr) return std::nullopt;
    const DatePattern& change = pattern.month == month_saving_begins ? saving->begin.date : saving->end.date;
    if (change.month > 12 && change.month != any_field) return std::nullopt;
    pattern.month = change.month;
    if (pattern.day == any_field && pattern.weekday == any_field) {
        pattern.day = change.day;
        pattern.weekday = change.weekday;
    }
    return pattern;
}

bool matches_resolved(const DatePattern& pattern, std::chrono::year_month_day date) {
    const auto month_matches = [&](std::chrono::year_month_day day) {
        return pattern.month == any_field || unsigned{day.month()} == pattern.month;
    };
    if (pattern.year != any_year && static_cast<int>(date.year()) != pattern.year) return false;
    if (!is_on_or_after(pattern)) return month_matches(date) && matches_day(pattern, date);
    const std::chrono::sys_days day{date};
    if (std::chrono::weekday{day}.iso_encoding() != pattern.weekday) return false;
    for (int back = 0; back < 7; ++back) {
        const std::chrono::year_month_day start{day - std::chrono::days{back}};
        if (unsigned{start.day()} == pattern.day && month_matches(start)) return true;
    }
    return false;
}

/// The first value of a field at or after `from`; `bound` when there is none.
int next_field(std::uint8_t pattern, int from, int bound) {
    if (pattern == any_field) return from;
    return pattern >= from ? pattern : bound;
}

/// The first time of day at or after `from` that matches; nothing when the day is over.
std::optional<Duration> next_time(const TimePattern& pattern, Duration from) {
    using namespace std::chrono;
    const hh_mm_ss start{ceil<duration<std::int64_t, std::centi>>(from)};
    const int fields[] = {static_cast<int>(start.hours().count()), static_cast<int>(start.minutes().count()),
                          static_cast<int>(start.seconds().count()),
                          static_cast<int>(start.subseconds().count())};
    const std::uint8_t hundredths = pattern.hundredths == any_field ? std::uint8_t{0} : pattern.hundredths;
    for (int hour = next_field(pattern.hour, fields[0], 24); hour < 24;
         hour = next_field(pattern.hour, hour + 1, 24)) {
        const bool first_hour = hour == fields[0];
        for (int minute = next_field(pattern.minute, first_hour ? fields[1] : 0, 60); minute < 60;
             minute = next_field(pattern.minute, minute + 1, 60)) {
            const bool first_minute = first_hour && minute == fields[1];
            int second = next_field(pattern.second, first_minute ? fields[2] : 0, 60);
            if (first_minute && second == fields[2] && hundredths < fields[3])
                second = next_field(pattern.second, second + 1, 60);
            if (second < 60)
                return hours{hour} + minutes{minute} + seconds{second} + milliseconds{hundredths * 10};
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<DatePattern> decode_date(Bytes octets) {
    if (octets.size() != 5) return std::nullopt;
    Reader in{octets};
    const DatePattern date = read_date(in);
    return valid(date) ? std::optional{date} : std::nullopt;
}

std::optional<TimePattern> decode_time(Bytes octets) {
    if (octets.size() != 4) return std::nullopt;
    Reader in{octets};
    const TimePattern time = read_time(in);
    return valid(time) ? std::optional{time} : std::nullopt;
}

std::optional<DateTimePattern> decode_date_time_pattern(Bytes octets) {
    if (octets.size() != 12) return std::nullopt;
    Reader in{octets};
    DateTimePattern pattern{
        .date = read_date(in), .time = read_time(in), .deviation_minutes = {}, .status = {}};
    const std::uint16_t deviation = in.u16();
    const std::uint8_t status = in.u8();
    if (deviation != deviation_unspecified) pattern.deviation_minutes = static_cast<std::int16_t>(deviation);
    if (status != any_field) pattern.status = status;
    const int minutes = pattern.deviation_minutes.value_or(0);
    if (!valid(pattern.date) || !valid(pattern.time) || minutes < -deviation_minutes_max ||
        minutes > deviation_minutes_max)
        return std::nullopt;
    return pattern;
}

std::array<std::uint8_t, 5> encode_date(const DatePattern& date) {
    return {static_cast<std::uint8_t>(date.year >> 8), static_cast<std::uint8_t>(date.year), date.month,
            date.day, date.weekday};
}

std::array<std::uint8_t, 4> encode_time(const TimePattern& time) {
    return {time.hour, time.minute, time.second, time.hundredths};
}

std::array<std::uint8_t, 12> encode_date_time(const DateTimePattern& pattern) {
    const auto date = encode_date(pattern.date);
    const auto time = encode_time(pattern.time);
    const auto deviation = pattern.deviation_minutes ? static_cast<std::uint16_t>(*pattern.deviation_minutes)
                                                     : deviation_unspecified;
    return {date[0],
            date[1],
            date[2],
            date[3],
            date[4],
            time[0],
            time[1],
            time[2],
            time[3],
            static_cast<std::uint8_t>(deviation >> 8),
            static_cast<std::uint8_t>(deviation),
            pattern.status.value_or(any_field)};
}

std::optional<DatePattern> date_pattern(const Data& data) {
    const auto* raw = data.as<RawDate>();
    return decode_date(raw ? Bytes{raw->octets} : data.octets());
}

std::optional<TimePattern> time_pattern(const Data& data) {
    const auto* raw = data.as<RawTime>();
    return decode_time(raw ? Bytes{raw->octets} : data.octets());
}

std::optional<DateTimePattern> date_time_pattern(const Data& data) {
    const auto* raw = data.as<RawDateTime>();
    return decode_date_time_pattern(raw ? Bytes{raw->octets} : data.octets());
}

bool matches(const DatePattern& pattern, std::chrono::year_month_day date, const DaylightSaving* saving) {
    const auto plain = resolved(pattern, saving);
    return plain && date.ok() && matches_resolved(*plain, date);
}

bool matches(const TimePattern& pattern, Duration time_of_day) {
    const std::chrono::hh_mm_ss time{time_of_day};
    const auto is = [](std::uint8_t field, auto count) { return field == any_field || field == count; };
    return is(pattern.hour, time.hours().count()) && is(pattern.minute, time.minutes().count()) &&
           is(pattern.second, time.seconds().count()) &&
           is(pattern.hundredths, time.subseconds().count() / 10'000);
}

bool matches(const DateTimePattern& pattern, LocalTime at, const DaylightSaving* saving) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    return matches(pattern.date, std::chrono::year_month_day{day}, saving) && matches(pattern.time, at - day);
}

std::optional<LocalTime> next_match(const DateTimePattern& pattern, LocalTime from,
                                    const DaylightSaving* saving) {
    using namespace std::chrono;
    // A day of the month with a weekday comes again after 40 years at most (28, and a century without leap
    // day).
    constexpr days search_max{40 * 366};
    constexpr local_days first_day{year{1} / 1 / 1}, last_day{year{9'999} / 12 / 31};
    const auto plain = resolved(pattern.date, saving);
    if (!plain || from < first_day || from >= last_day) return std::nullopt;
    local_days day = floor<days>(from);
    Duration time = from - day;
    if (plain->year != any_year) {
        const local_days start{year{plain->year} / 1 / 1};
        if (start > day) {
            day = start;
            time = {};
        }
    }
    for (const local_days end = std::min(day + search_max, last_day); day < end; ++day, time = {}) {
        const year_month_day date{day};
        if (plain->year != any_year && static_cast<int>(date.year()) > plain->year) return std::nullopt;
        if (!matches_resolved(*plain, date)) continue;
        if (const auto found = next_time(pattern.time, time)) return day + *found;
    }
    return std::nullopt;
}

bool is_saving(const DaylightSaving& saving, LocalTime standard) {
    using namespace std::chrono;
    const year_month_day date{floor<days>(standard)};
    const local_days new_year{date.year() / 1 / 1};
    const auto begin = next_match(saving.begin, new_year);
    auto end = next_match(saving.end, new_year);
    const local_days next_year{(date.year() + years{1}) / 1 / 1};
    if (!begin || !end || *begin >= next_year || *end >= next_year) return false;
    *end -= saving.deviation;
    if (*begin < *end) return standard >= *begin && standard < *end;
    return standard >= *begin || standard < *end;  // the south: summer is around the new year
}

std::optional<Instant> to_utc(const DateTimePattern& pattern, const ClockModel& clock) {
    const auto value = decode_date_time(encode_date_time(pattern), clock);
    return value ? std::optional{value->at} : std::nullopt;
}

}  // namespace wattmesh::dlms
