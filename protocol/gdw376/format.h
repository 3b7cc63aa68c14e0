#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

/// Data formats of Q/GDW 376.1-2009, annex A: BCD, low octet first. EE in every octet is "no data": nothing,
/// not zero.
namespace wattmesh::gdw376 {

/// Number formats: octets, digits behind the point, sign in the top bit.
struct NumberFormat {
    std::uint8_t octets, decimals;
    bool is_signed;
};
inline constexpr NumberFormat a5{2, 1, true}, a7{2, 1, false}, a9{3, 4, true}, a11{4, 2, false},
    a14{5, 4, false}, a25{3, 3, true};

/// Times the power of ten of the format; nothing for "no data". A fault (bad_value) of `in` when it is not
/// BCD.
std::optional<std::int64_t> read_digits(Reader& in, const NumberFormat& format);
/// As a number with its decimals, times `scale`.
std::optional<double> read_number(Reader& in, const NumberFormat& format, double scale = 1);
/// Rounds to the format's decimals; asserts that it holds the value.
void write_number(Writer& out, const NumberFormat& format, std::optional<double> value, double scale = 1);

/// Terminals know no zone: the wall clock of the place. Fields that a format has not are 0.
struct WallTime {
    std::chrono::year_month_day date{};
    std::uint8_t hour = 0, minute = 0, second = 0;
    friend bool operator==(const WallTime&, const WallTime&) = default;
};
/// A.1: ss mm hh DD, weekday and month, YY. A.15: mm hh DD MM YY. A.20: DD MM YY. A.21: MM YY (the first of
/// the month). Nothing for "no data"; a fault (bad_value) of `in` when it is no time.
std::optional<WallTime> read_a1(Reader& in);
std::optional<WallTime> read_a15(Reader& in);
std::optional<WallTime> read_a20(Reader& in);
std::optional<WallTime> read_a21(Reader& in);
void write_a1(Writer& out, const WallTime& time);
void write_a15(Writer& out, const WallTime& time);
void write_a20(Writer& out, const WallTime& time);
void write_a21(Writer& out, const WallTime& time);

}  // namespace wattmesh::gdw376
