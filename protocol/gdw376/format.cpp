#include "protocol/gdw376/format.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "protocol/base/bcd.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint8_t no_data = 0xEE;
using namespace std::chrono;

std::int64_t power_of_ten(int exponent) {
    std::int64_t out = 1;
    for (int i = 0; i < exponent; ++i) out *= 10;
    return out;
}

/// Octets of a time, all BCD but for the masks; nothing for "no data".
template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> time_octets(Reader& in, std::size_t masked = N,
                                                       std::uint8_t mask = 0xFF) {
    const auto at = in.position();
    auto octets = in.array<N>();
    if (!in.ok() || std::ranges::count(octets, no_data) == N) return std::nullopt;
    if (masked < N) octets[masked] &= mask;
    if (!std::ranges::all_of(octets, is_bcd)) {
        in.fail_at(Fault::bad_value, at);
        return std::nullopt;
    }
    for (auto& octet : octets) octet = from_bcd(octet);
    return octets;
}

std::optional<WallTime> checked(unsigned yy, unsigned mm, unsigned dd, std::uint8_t hour = 0,
                                std::uint8_t minute = 0, std::uint8_t second = 0) {
    const WallTime time{year{static_cast<int>(2'000 + yy)} / month{mm} / day{dd}, hour, minute, second};
    if (!time.date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return time;
}

unsigned yy(const WallTime& time) { return static_cast<unsigned>(static_cast<int>(time.date.year()) % 100); }
unsigned mm(const WallTime& time) { return static_cast<unsigned>(time.date.month()); }
unsigned dd(const WallTime& time) { return static_cast<unsigned>(time.date.day()); }

}  // namespace

std::optional<std::int64_t> read_digits(Reader& in, const NumberFormat& format) {
    const auto at = in.position();
    const Bytes octets = in.bytes(format.octets);
    if (!in.ok() || std::ranges::count(octets, no_data) == format.octets) return std::nullopt;
    std::int64_t value = 0;
    bool negative = false;
    for (std::size_t i = octets.size(); i-- > 0;) {
        std::uint8_t octet = octets[i];
        if (format.is_signed && i + 1 == octets.size()) {
            negative = (octet & 0x80) != 0;
            octet &= 0x7F;
        }
        if (!is_bcd(octet)) {
            in.fail_at(Fault::bad_value, at + i);
            return std::nullopt;
        }
        value = value * 100 + from_bcd(octet);
    }
    return negative ? -value : value;
}

std::optional<double> read_number(Reader& in, const NumberFormat& format, double scale) {
    const auto digits = read_digits(in, format);
    if (!digits) return std::nullopt;
    return static_cast<double>(*digits) * scale / static_cast<double>(power_of_ten(format.decimals));
}

void write_number(Writer& out, const NumberFormat& format, std::optional<double> value, double scale) {
    if (!value) {
        for (int i = 0; i < format.octets; ++i) out.u8(no_data);
        return;
    }
    const double shown =
        std::nearbyint(std::abs(*value) * static_cast<double>(power_of_ten(format.decimals)) / scale);
    const auto limit = static_cast<double>(power_of_ten(2 * format.octets)) * (format.is_signed ? 0.8 : 1);
    assert(shown < limit && (format.is_signed || *value >= 0));
    auto digits = static_cast<std::uint64_t>(shown);
    for (int i = 0; i < format.octets; ++i, digits /= 100) {
        const bool sign = i + 1 == format.octets && *value < 0;
        out.u8(static_cast<std::uint8_t>(to_bcd(static_cast<unsigned>(digits % 100)) | (sign ? 0x80 : 0)));
    }
}

std::optional<WallTime> read_a1(Reader& in) {
    // Weekday in the upper bits of the month; it follows from the date, and terminals err.
    const auto t = time_octets<6>(in, 4, 0x1F);
    if (!t) return std::nullopt;
    return checked((*t)[5], (*t)[4], (*t)[3], (*t)[2], (*t)[1], (*t)[0]);
}
std::optional<WallTime> read_a15(Reader& in) {
    const auto t = time_octets<5>(in);
    if (!t) return std::nullopt;
    return checked((*t)[4], (*t)[3], (*t)[2], (*t)[1], (*t)[0]);
}
std::optional<WallTime> read_a20(Reader& in) {
    const auto t = time_octets<3>(in);
    if (!t) return std::nullopt;
    return checked((*t)[2], (*t)[1], (*t)[0]);
}
std::optional<WallTime> read_a21(Reader& in) {
    const auto t = time_octets<2>(in);
    if (!t) return std::nullopt;
    return checked((*t)[1], (*t)[0], 1);
}

void write_a1(Writer& out, const WallTime& time) {
    const unsigned day_of_week = weekday{sys_days{time.date}}.iso_encoding();  // Monday 1 to Sunday 7
    out.u8(to_bcd(time.second)).u8(to_bcd(time.minute)).u8(to_bcd(time.hour)).u8(to_bcd(dd(time)));
    out.u8(static_cast<std::uint8_t>(day_of_week << 5 | to_bcd(mm(time)))).u8(to_bcd(yy(time)));
}
void write_a15(Writer& out, const WallTime& time) {
    out.u8(to_bcd(time.minute))
        .u8(to_bcd(time.hour))
        .u8(to_bcd(dd(time)))
        .u8(to_bcd(mm(time)))
        .u8(to_bcd(yy(time)));
}
void write_a20(Writer& out, const WallTime& time) {
    out.u8(to_bcd(dd(time))).u8(to_bcd(mm(time))).u8(to_bcd(yy(time)));
}
void write_a21(Writer& out, const WallTime& time) { out.u8(to_bcd(mm(time))).u8(to_bcd(yy(time))); }

}  // namespace wattmesh::gdw376
