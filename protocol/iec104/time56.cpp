#include <cassert>

#include "protocol/iec104/asdu.h"

namespace wattmesh::iec104 {
namespace {

using namespace std::chrono;

constexpr std::uint8_t flag_high = 0x80, flag_substituted = 0x40;
constexpr int century = 2000;

}  // namespace

void encode_time(const Time56& time, Buffer& out) {
    const auto midnight = floor<days>(time.at);
    const year_month_day date{midnight};
    const bool told = date.year() >= year{century} && date.year() < year{century + 100};
    const auto day_ms = static_cast<std::uint32_t>(floor<milliseconds>(time.at - midnight).count());
    const auto ms = day_ms % 60'000, minute = day_ms / 60'000 % 60, hour = day_ms / 3'600'000;
    const auto put = [&out](std::uint32_t octet) { out.push_back(static_cast<std::uint8_t>(octet)); };
    put(ms);
    put(ms >> 8);
    put(minute | (time.substituted ? flag_substituted : 0U) | (time.invalid || !told ? flag_high : 0U));
    put(hour | (time.summer ? flag_high : 0U));
    put(static_cast<unsigned>(date.day()));
    put(static_cast<unsigned>(date.month()));
    put(told ? static_cast<unsigned>(static_cast<int>(date.year()) - century) : 0U);
}

Result<Time56> decode_time(Bytes seven) {
    assert(seven.size() == 7);
    const unsigned ms = seven[0] | seven[1] << 8, minute = seven[2] & 0x3F, hour = seven[3] & 0x1F;
    const year_month_day date{year{century + (seven[6] & 0x7F)}, month{seven[5] & 0x0FU},
                              day{seven[4] & 0x1FU}};
    if (ms > 59'999) return Error{Fault::bad_value, 0};
    if (minute > 59) return Error{Fault::bad_value, 2};
    if (hour > 23) return Error{Fault::bad_value, 3};
    if ((seven[6] & 0x7F) > 99) return Error{Fault::bad_value, 6};
    if (!date.ok()) return Error{Fault::bad_value, 4};
    return Time56{sys_days{date} + hours{hour} + minutes{minute} + milliseconds{ms},
                  (seven[2] & flag_high) != 0, (seven[2] & flag_substituted) != 0,
                  (seven[3] & flag_high) != 0};
}

}  // namespace wattmesh::iec104
