#pragma once
#include <variant>
#include <vector>

#include "protocol/base/obis.h"
#include "protocol/gdw376/format.h"
#include "protocol/gdw376/frame.h"
#include "protocol/gdw376/query.h"
#include "protocol/gdw376/unit.h"

/// Values of AFN 0C (now) and 0D (frozen, curves). Source: Q/GDW 376.1-2009, 5.14, 5.15 and annex A.
namespace wattmesh::gdw376 {

struct Value {
    ObisCode quantity;
    std::optional<double> value;  ///< in W, var, VA, Wh, varh, V, A; nothing: the terminal has none
    friend bool operator==(const Value&, const Value&) = default;
};
/// Values of one point at one time.
struct Reading {
    std::uint16_t point = 0, item = 0;
    std::optional<WallTime> frozen;  ///< class 2: the day or month (its first) it is frozen at the end of
    std::optional<WallTime> read;    ///< when the terminal read the meter
    std::vector<Value> values;
    friend bool operator==(const Reading&, const Reading&) = default;
};
/// 0C F2.
struct TerminalClock {
    std::optional<WallTime> time;
    friend bool operator==(const TerminalClock&, const TerminalClock&) = default;
};
/// 0D F81 to F84: one quantity in steps.
struct LoadCurve {
    std::uint16_t point = 0, item = 0;
    ObisCode quantity;
    WallTime start;
    std::chrono::minutes step{};
    std::vector<std::optional<double>> values;
    friend bool operator==(const LoadCurve&, const LoadCurve&) = default;
};
using Measurement = std::variant<TerminalClock, Reading, LoadCurve>;

/// All units of an answer: 0C F2 F25 F33 F34 F129, 0D F1 F2 F17 F18 F81-F84 F161 F163 F177. Faults:
/// unsupported (another item: its length is not known, so nothing behind it can be read), unexpected,
/// truncated, bad_value.
Result<std::vector<Measurement>> decode_measurements(const Frame& frame);
/// The simulated terminal's side: one unit.
void encode(Writer& out, const Measurement& measurement);

/// What stands behind the head of a question of class 2: day, month, or a curve's start, step and count.
/// Asserts that `query` has it and that the item is known.
void write_query_time(Writer& out, const Query& query);
/// Faults of `in`: unsupported (the item's form is not known), bad_value.
void read_query_time(Reader& in, Query& query);

/// Requests of class 2 that name a day, a month or the begin of a curve.
Frame request_day(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& day,
                  std::uint8_t sequence);
Frame request_month(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& month,
                    std::uint8_t sequence);
/// `step`: 60, 30, 15, 5 or 1 minutes.
Frame request_curve(const Address& terminal, std::uint16_t point, std::uint16_t item, const WallTime& start,
                    std::chrono::minutes step, std::uint8_t count, std::uint8_t sequence);

}  // namespace wattmesh::gdw376
