#include <cassert>

#include "protocol/dlms/date_time_pattern.h"

/// 12, 5 and 4 octets: what decodes encodes to the same; the next match matches.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const Bytes bytes{data, size};
    if (const auto date = dlms::decode_date(bytes)) assert(to_hex(dlms::encode_date(*date)) == to_hex(bytes));
    if (const auto time = dlms::decode_time(bytes)) assert(to_hex(dlms::encode_time(*time)) == to_hex(bytes));
    const auto pattern = dlms::decode_date_time_pattern(bytes);
    if (!pattern) return 0;
    assert(to_hex(dlms::encode_date_time(*pattern)) == to_hex(bytes));
    const dlms::LocalTime from = std::chrono::local_days{std::chrono::year{2026} / 11 / 22};
    if (const auto next = dlms::next_match(*pattern, from)) assert(dlms::matches(*pattern, *next));
    dlms::is_saving({*pattern, *pattern, std::chrono::minutes{60}}, from);
    assert(dlms::to_utc(*pattern, dlms::utc_clock).has_value() == dlms::decode_date_time(bytes).has_value());
    return 0;
}
