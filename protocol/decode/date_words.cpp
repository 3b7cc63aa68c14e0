#include "protocol/decode/date_words.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "protocol/dlms/date_time_pattern.h"

namespace wattmesh::decode {
namespace {

using namespace dlms;

constexpr std::array<std::string_view, 8> weekdays{"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 13> months{"",        "January",  "February", "March",  "April",
                                                  "May",     "June",     "July",     "August", "September",
                                                  "October", "November", "December"};

bool is_calendar_day(const DatePattern& date) {
    return date.year != any_year && date.month <= 12 && date.day <= 31;
}

std::string day_words(const DatePattern& date) {
    const std::string weekday{date.weekday == any_field ? "day" : weekdays[date.weekday]};
    if (date.day == day_last) return "last " + weekday;
    if (date.day == day_second_last) return "second last " + weekday;
    if (date.day == any_field) return date.weekday == any_field ? "any day" : "every " + weekday;
    if (date.weekday == any_field) return fmt::format("day {}", date.day);
    return fmt::format("{} on or after day {}", weekday, date.day);
}

std::string words(const DatePattern& date) {
    if (is_calendar_day(date)) {
        std::string text = fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
        const std::chrono::year_month_day day{std::chrono::year{date.year}, std::chrono::month{date.month},
                                              std::chrono::day{date.day}};
        if (!day.ok()) return text + " (there is no such day)";
        if (date.weekday == any_field) return text;
        text += fmt::format(" {}", weekdays[date.weekday]);
        const unsigned weekday = std::chrono::weekday{std::chrono::sys_days{day}}.iso_encoding();
        if (weekday != date.weekday) text += fmt::format(" (that day is a {})", weekdays[weekday]);
        return text;
    }
    if (date == DatePattern{}) return "any date";
    const std::string month = date.month == month_saving_begins ? "the month daylight saving begins"
                              : date.month == month_saving_ends ? "the month daylight saving ends"
                              : date.month == any_field         ? "any month"
                                                                : std::string{months[date.month]};
    return fmt::format("{} of {}, {}", day_words(date), month,
                       date.year == any_year ? "any year" : std::to_string(date.year));
}

std::string words(const TimePattern& time) {
    if (time.hour == any_field && time.minute == any_field && time.second == any_field) return "any time";
    const auto two = [](std::uint8_t field) {
        return field == any_field ? std::string{"--"} : fmt::format("{:02}", field);
    };
    std::string text = two(time.hour) + ":" + two(time.minute) + ":" + two(time.second);
    if (time.hundredths != any_field && time.hundredths != 0) text += "." + two(time.hundredths);
    const bool wild = time.hour == any_field || time.minute == any_field || time.second == any_field;
    return text + (wild ? " (-- is any)" : "");
}

std::string status_words(std::optional<std::uint8_t> status) {
    if (!status) return ", status not given";
    std::string text;
    const auto say = [&](std::uint8_t bit, std::string_view word) {
        if ((*status & bit) != 0) (text += ", ") += word;
    };
    say(clock_status::invalid, "invalid");
    say(clock_status::doubtful, "doubtful");
    say(clock_status::different_base, "different clock base");
    say(clock_status::invalid_status, "invalid status");
    say(clock_status::daylight_saving, "daylight saving");
    if ((*status & 0x70) != 0) text += fmt::format(", reserved status bits {:02X}", *status & 0x70);
    return text;
}

}  // namespace

std::optional<std::string> date_words(Bytes octets) {
    const auto date = decode_date(octets);
    if (!date) return std::nullopt;
    return words(*date);
}

std::optional<std::string> time_words(Bytes octets) {
    const auto time = decode_time(octets);
    if (!time) return std::nullopt;
    return words(*time);
}

std::optional<std::string> date_time_words(Bytes octets) {
    const auto pattern = decode_date_time_pattern(octets);
    if (!pattern) return std::nullopt;
    const bool exact = is_calendar_day(pattern->date);
    const std::string date = words(pattern->date);
    std::string zone, unzoned = ", zone not given";
    if (pattern->deviation_minutes) {
        unzoned.clear();
        const int east = -*pattern->deviation_minutes;  // the standard counts from local time to UTC
        zone = fmt::format("{}{}{:02}:{:02}", exact ? "" : " ", east < 0 ? '-' : '+', std::abs(east) / 60,
                           std::abs(east) % 60);
    }
    std::string text = exact ? date.substr(0, 10) + "T" + words(pattern->time) + zone + date.substr(10)
                             : date + " at " + words(pattern->time) + zone;
    return text + unzoned + status_words(pattern->status);
}

}  // namespace wattmesh::decode
