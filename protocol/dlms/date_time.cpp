#include "protocol/dlms/date_time.h"

#include "protocol/dlms/date_time_decoder.h"

namespace wattmesh::dlms {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint8_t unspecified = 0xFF;
constexpr int year_max = 9'999;

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

std::optional<DateTime> decode_date_time(Bytes octets, const ClockModel& clock) {
    if (octets.size() != 12) return std::nullopt;
    DateTime value;
    if (!DateTimeDecoder{clock}.decode(octets.first<12>(), value)) return std::nullopt;
    return value;
}

std::optional<DateTime> date_time(const Data& data, const ClockModel& clock) {
    if (const auto* raw = data.as<RawDateTime>()) return decode_date_time(raw->octets, clock);
    return decode_date_time(data.octets(), clock);
}

Data date_time_octets(const DateTime& value) { return octet_string(encode_date_time(value)); }
Data date_time_tagged(const DateTime& value) { return RawDateTime{encode_date_time(value)}; }

}  // namespace wattmesh::dlms
