#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

/// Clock status octet (Blue Book, Clock class): bit set = as named.
namespace clock_status {
inline constexpr std::uint8_t invalid = 0x01, doubtful = 0x02, different_base = 0x04, invalid_status = 0x08,
                              daylight_saving = 0x80;
}

/// A point in time on a meter, with what is known of its zone. UTC = local + deviation (Blue Book ed. 14,
/// 4.1.6.1; the deviation holds daylight saving already).
struct DateTime {
    Instant at{};  ///< UTC; whole hundredths of a second travel
    /// Minutes to add to local time for UTC, -840..840; 0x8000 is decoded as ClockModel says.
    std::int16_t deviation_minutes = 0;
    std::uint8_t status = 0;  ///< clock_status bits; FF (not specified) is decoded as 0
    friend bool operator==(const DateTime&, const DateTime&) = default;
};

/// What a meter's model says where its date-times do not: how a local time with deviation 0x8000 ("not
/// specified") becomes UTC. A deviation that is given counts as it stands, whatever the status bits say.
struct ClockModel {
    std::int16_t deviation_minutes = 0;         ///< of standard time in the meter's zone, as in DateTime
    std::int16_t daylight_saving_minutes = 60;  ///< what status bit daylight_saving adds to local time
    /// Local time is standard time all year though the country has daylight saving: the status bit is
    /// ignored.
    bool standard_time_all_year = false;
    friend bool operator==(const ClockModel&, const ClockModel&) = default;
};
/// A meter that keeps UTC: what is taken when nothing is known.
inline constexpr ClockModel utc_clock{.standard_time_all_year = true};

/// 12 octets. Source: Blue Book ed. 14, 4.1.6.1.
std::array<std::uint8_t, 12> encode_date_time(const DateTime& value);
/// Nothing when it is not 12 octets or a field that fixes the instant is a wildcard or out of range.
std::optional<DateTime> decode_date_time(Bytes octets, const ClockModel& clock = utc_clock);
/// From an OctetString of 12 or a RawDateTime.
std::optional<DateTime> date_time(const Data& data, const ClockModel& clock = utc_clock);
/// As octet-string 09 0C, the form profile buffers and range selectors use.
Data date_time_octets(const DateTime& value);
/// As date-time 19, the form that some meters want in range selectors.
Data date_time_tagged(const DateTime& value);

}  // namespace wattmesh::dlms
