#include "terminal-sim/tool/running.h"

#include <charconv>
#include <cstdio>

namespace wattmesh::sim {

std::shared_ptr<const platform::ScaledClock> clock_of(const platform::Settings& settings) {
    using platform::ScaledClock;
    const double speed =
        settings.optional_in<double>("speed", 1, ScaledClock::speed_min, ScaledClock::speed_max);
    std::optional<Instant> origin;
    if (settings.has("origin"))
        origin = Instant{std::chrono::seconds{settings.required<std::int64_t>("origin")}};
    return std::make_shared<ScaledClock>(speed, origin);
}

std::optional<Instant> parse_instant(const std::string& text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size())
        return Instant{std::chrono::seconds{seconds}};
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
    char zone = 0, more = 0;
    if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u%c%c", &year, &month, &day, &hour, &minute, &second,
                    &zone, &more) != 7 ||
        zone != 'Z')
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{day}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return Instant{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

}  // namespace wattmesh::sim
