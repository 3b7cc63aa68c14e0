#include "protocol/dlms/date_time.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::dlms {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t deviation_unspecified = 0x8000;
constexpr std::uint8_t unspecified = 0xFF;
constexpr int year_max = 9'999;
constexpr int deviation_minutes_max = 14 * 60;  // UTC+14 exists; Blue Book ed. 14, 4.1.6.1 names 720

}  // namespace

std::array<std::uint8_t, 12> encode_date_time(const DateTime& value) {
    std::array<std::uint8_t, 12> octets;
    octets.fill(unspecified);
    // Outside the years 1..9999 there is no civil date to send: every field stays "not specified".
    constexpr Instant first = std::chrono::sys_days{std::chrono::year{1} / 1 / 2};
    constexpr Instant last = std::chrono::sys_days{std::chrono::year{year_max} / 12 / 30};
    if (value.at < first || value.at > last) return octets;

    const auto local = value.at - minutes{value.deviation_minutes};
    const auto date = floor<days>(local);
    const std::chrono::year_month_day civil{date};
    const std::chrono::hh_mm_ss clock{floor<milliseconds>(local - date)};
    const auto year = static_cast<std::uint16_t>(static_cast<int>(civil.year()));
    const auto deviation = static_cast<std::uint16_t>(value.deviation_minutes);
    octets = {static_cast<std::uint8_t>(year >> 8),
              static_cast<std::uint8_t>(year),
              static_cast<std::uint8_t>(static_cast<unsigned>(civil.month())),
              static_cast<std::uint8_t>(static_cast<unsigned>(civil.day())),
              static_cast<std::uint8_t>(std::chrono::weekday{date}.iso_encoding()),
              static_cast<std::uint8_t>(clock.hours().count()),
              static_cast<std::uint8_t>(clock.minutes().count()),
              static_cast<std::uint8_t>(clock.seconds().count()),
              static_cast<std::uint8_t>(clock.subseconds().count() / 10),
              static_cast<std::uint8_t>(deviation >> 8),
              static_cast<std::uint8_t>(deviation),
              value.status};
    return octets;
}

std::optional<DateTime> decode_date_time(Bytes octets) {
    if (octets.size() != 12) return std::nullopt;
    Reader in{octets};
    const std::chrono::year_month_day date{std::chrono::year{in.u16() & 0x7FFF}, std::chrono::month{in.u8()},
                                           std::chrono::day{in.u8()}};
    in.skip(1);  // day of week says nothing new
    const std::uint8_t hour = in.u8(), minute = in.u8(), second = in.u8(), hundredths = in.u8();
    const std::uint16_t raw_deviation = in.u16();
    const std::uint8_t status = in.u8();

    const int year = octets[0] << 8 | octets[1];
    if (year < 1 || year > year_max || !date.ok()) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    if (hundredths > 99 && hundredths != unspecified) return std::nullopt;
    const auto deviation =
        raw_deviation == deviation_unspecified ? std::int16_t{0} : static_cast<std::int16_t>(raw_deviation);
    if (deviation < -deviation_minutes_max || deviation > deviation_minutes_max) return std::nullopt;

    const Instant local = std::chrono::sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
                          milliseconds{hundredths == unspecified ? 0 : hundredths * 10};
    return DateTime{.at = local + minutes{deviation},
                    .deviation_minutes = deviation,
                    .status = status == unspecified ? std::uint8_t{0} : status};
}

std::optional<DateTime> date_time(const Data& data) {
    if (const auto* raw = data.as<RawDateTime>()) return decode_date_time(raw->octets);
    return decode_date_time(data.octets());
}

Data date_time_octets(const DateTime& value) { return octet_string(encode_date_time(value)); }

}  // namespace wattmesh::dlms
