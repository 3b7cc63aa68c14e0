#include "protocol/dlms/date_time.h"

#include "protocol/dlms/date_time_codec.h"

namespace wattmesh::dlms {

std::array<std::uint8_t, 12> encode_date_time(const DateTime& value) {
    std::array<std::uint8_t, 12> octets;
    DateTimeEncoder{}.encode(value, octets);
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
