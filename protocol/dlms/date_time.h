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

/// A point in time on a meter, with what is known of its zone. UTC = local + deviation (dlms fact sheet 1).
struct DateTime {
    Instant at{};  ///< UTC; whole hundredths of a second travel
    std::int16_t deviation_minutes =
        0;                    ///< minutes to add to local time for UTC; 0x8000 is decoded as 0 (UTC meters)
    std::uint8_t status = 0;  ///< clock_status bits
    friend bool operator==(const DateTime&, const DateTime&) = default;
};

/// 12 octets. Source: Blue Book ed. 14, 4.1.6.1.
std::array<std::uint8_t, 12> encode_date_time(const DateTime& value);
/// Nothing when it is not 12 octets or a field that fixes the instant is a wildcard or out of range.
std::optional<DateTime> decode_date_time(Bytes octets);
/// From an OctetString of 12 or a RawDateTime.
std::optional<DateTime> date_time(const Data& data);
/// As octet-string 09 0C, the form profile buffers and range selectors use.
Data date_time_octets(const DateTime& value);

}  // namespace wattmesh::dlms
