#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/date_time.h"

/// Dates and times with what is not specified in them kept: schedules, special days, begin and end of
/// daylight saving. Source: Blue Book (DLMS UA 1000-1) ed. 14, 4.1.6.1.
namespace wattmesh::dlms {

/// Time of a meter's own clock, whatever its zone.
using LocalTime = std::chrono::local_time<Duration>;

inline constexpr std::uint16_t any_year = 0xFFFF;
inline constexpr std::uint8_t any_field = 0xFF;  ///< "not specified" in every other field
inline constexpr std::uint8_t month_saving_begins = 0xFE, month_saving_ends = 0xFD;
inline constexpr std::uint8_t day_last = 0xFE, day_second_last = 0xFD;

struct DatePattern {
    std::uint16_t year = any_year;
    std::uint8_t month = any_field;    ///< 1..12, month_saving_begins, month_saving_ends
    std::uint8_t day = any_field;      ///< 1..31, day_last, day_second_last
    std::uint8_t weekday = any_field;  ///< 1 Monday .. 7 Sunday
    friend bool operator==(const DatePattern&, const DatePattern&) = default;
};
struct TimePattern {
    std::uint8_t hour = any_field, minute = any_field, second = any_field, hundredths = any_field;
    friend bool operator==(const TimePattern&, const TimePattern&) = default;
};
struct DateTimePattern {
    DatePattern date;
    TimePattern time;
    std::optional<std::int16_t> deviation_minutes;  ///< nothing = 0x8000; no part of a match
    std::optional<std::uint8_t> status;             ///< nothing = FF; no part of a match
    friend bool operator==(const DateTimePattern&, const DateTimePattern&) = default;
};

/// When a zone changes its time (attributes of class Clock): `begin` is told in standard time, `end` in
/// daylight saving time.
struct DaylightSaving {
    DateTimePattern begin, end;
    std::chrono::minutes deviation{60};  ///< what it adds to local time
    friend bool operator==(const DaylightSaving&, const DaylightSaving&) = default;
};

/// 5, 4 and 12 octets; nothing for another size or a field out of range. What decodes encodes to the same.
std::optional<DatePattern> decode_date(Bytes octets);
std::optional<TimePattern> decode_time(Bytes octets);
std::optional<DateTimePattern> decode_date_time_pattern(Bytes octets);
std::array<std::uint8_t, 5> encode_date(const DatePattern& date);
std::array<std::uint8_t, 4> encode_time(const TimePattern& time);
std::array<std::uint8_t, 12> encode_date_time(const DateTimePattern& pattern);

/// From an OctetString of the size or from the type of its own (RawDate, RawTime, RawDateTime).
std::optional<DatePattern> date_pattern(const Data& data);
std::optional<TimePattern> time_pattern(const Data& data);
std::optional<DateTimePattern> date_time_pattern(const Data& data);

/// Day and weekday together: the last (second last) such weekday of the month; in any year the weekday on or
/// after the day; in a given year both. The months of daylight saving match nothing without `saving`; with no
/// day and no weekday they mean the very day on which it begins or ends.
bool matches(const DatePattern& pattern, std::chrono::year_month_day date,
             const DaylightSaving* saving = nullptr);
/// A time of day, microseconds since midnight below one day.
bool matches(const TimePattern& pattern, Duration time_of_day);
bool matches(const DateTimePattern& pattern, LocalTime at, const DaylightSaving* saving = nullptr);

/// The first match at or after `from`, unspecified hundredths being 0; nothing when there is none within the
/// next 40 years or before the year 10000.
std::optional<LocalTime> next_match(const DateTimePattern& pattern, LocalTime from,
                                    const DaylightSaving* saving = nullptr);

/// Whether daylight saving is in force at `standard`, a local standard time. False when begin or end has no
/// day in that year.
bool is_saving(const DaylightSaving& saving, LocalTime standard);

/// The instant of a fully specified pattern; see ClockModel for deviation 0x8000. Nothing when a field that
/// fixes the instant is a wildcard.
std::optional<Instant> to_utc(const DateTimePattern& pattern, const ClockModel& clock);

}  // namespace wattmesh::dlms
