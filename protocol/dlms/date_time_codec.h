#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "protocol/dlms/date_time.h"

namespace wattmesh::dlms {

/// Decodes date-times of one meter one after another. The civil day of the one before is kept, because rows
/// of a profile mostly share it. Not thread safe, allocates nothing.
class DateTimeDecoder {
public:
    explicit DateTimeDecoder(const ClockModel& clock) : clock_(clock) {}

    /// Source: Blue Book ed. 14, 4.1.6.1. False when a field that fixes the instant is a wildcard or out of
    /// range; `out` is then untouched. The day of week says nothing new and is not looked at.
    bool decode(std::span<const std::uint8_t, 12> octets, DateTime& out) {
        const std::uint32_t date = std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 |
                                   std::uint32_t{octets[2]} << 8 | octets[3];
        if (date != date_ && !set_date(date)) return false;
        const int hour = octets[5], minute = octets[6], second = octets[7], hundredths = octets[8];
        if (hour > 23 || minute > 59 || second > 59 || (hundredths > 99 && hundredths != unspecified))
            return false;
        const std::uint8_t status = octets[11] == unspecified ? std::uint8_t{0} : octets[11];
        int deviation = static_cast<std::int16_t>(octets[9] << 8 | octets[10]);
        if (deviation == deviation_unspecified) deviation = unspecified_deviation(status);
        if (deviation < -deviation_minutes_max || deviation > deviation_minutes_max) return false;
        const std::int64_t seconds = (hour * 60 + minute + deviation) * 60 + second;
        const int centiseconds = hundredths == unspecified ? 0 : hundredths;
        out.at = day_ + Duration{seconds * 1'000'000 + centiseconds * 10'000};
        out.deviation_minutes = static_cast<std::int16_t>(deviation);
        out.status = status;
        return true;
    }

private:
    static constexpr int unspecified = 0xFF;
    static constexpr int deviation_unspecified = -0x8000;
    static constexpr int deviation_minutes_max = 14 * 60;  // UTC+14 exists; the Blue Book names 720
    static constexpr unsigned year_max = 9'999;

    bool set_date(std::uint32_t octets) {
        const unsigned year = octets >> 16;
        const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year & 0x7FFF)},
                                               std::chrono::month{octets >> 8 & 0xFF},
                                               std::chrono::day{octets & 0xFF}};
        if (year < 1 || year > year_max || !date.ok()) return false;
        date_ = octets;
        day_ = std::chrono::sys_days{date};
        return true;
    }
    int unspecified_deviation(std::uint8_t status) const {
        const bool saving = (status & clock_status::daylight_saving) != 0 && !clock_.standard_time_all_year;
        return clock_.deviation_minutes - (saving ? clock_.daylight_saving_minutes : 0);
    }

    ClockModel clock_;
    std::uint32_t date_ = 0;  ///< octets of the day in `day_`; 0 is no date
    Instant day_{};
};

/// Encodes date-times one after another. Keeps the civil day of the one before.
class DateTimeEncoder {
public:
    /// Outside the local years 1..9999, the ones that decode, there is no civil date to send: every field
    /// stays "not specified".
    void encode(const DateTime& value, std::span<std::uint8_t, 12> out) {
        using namespace std::chrono;
        constexpr Instant first = sys_days{year{1} / 1 / 1}, end = sys_days{year{10'000} / 1 / 1};
        const minutes deviation_of_local{value.deviation_minutes};
        if (value.at < first + deviation_of_local || value.at >= end + deviation_of_local) {
            std::ranges::fill(out, std::uint8_t{0xFF});
            return;
        }
        const Instant local = value.at - deviation_of_local;
        if (local < day_ || local - day_ >= days{1}) set_day(floor<days>(local));
        const auto centiseconds = static_cast<std::uint32_t>((local - day_).count() / 10'000);
        const std::uint32_t second = centiseconds / 100, minute = second / 60;
        const auto deviation = static_cast<std::uint16_t>(value.deviation_minutes);
        std::ranges::copy(date_, out.begin());
        out[5] = static_cast<std::uint8_t>(minute / 60);
        out[6] = static_cast<std::uint8_t>(minute % 60);
        out[7] = static_cast<std::uint8_t>(second % 60);
        out[8] = static_cast<std::uint8_t>(centiseconds % 100);
        out[9] = static_cast<std::uint8_t>(deviation >> 8);
        out[10] = static_cast<std::uint8_t>(deviation);
        out[11] = value.status;
    }

private:
    void set_day(std::chrono::sys_days day) {
        const std::chrono::year_month_day civil{day};
        const auto year = static_cast<std::uint16_t>(static_cast<int>(civil.year()));
        date_ = {static_cast<std::uint8_t>(year >> 8), static_cast<std::uint8_t>(year),
                 static_cast<std::uint8_t>(unsigned{civil.month()}),
                 static_cast<std::uint8_t>(unsigned{civil.day()}),
                 static_cast<std::uint8_t>(std::chrono::weekday{day}.iso_encoding())};
        day_ = day;
    }

    Instant day_ = Instant::max() - std::chrono::days{1};  ///< no day that is ever encoded
    std::array<std::uint8_t, 5> date_{};
};

}  // namespace wattmesh::dlms
