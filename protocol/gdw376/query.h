#pragma once
#include <chrono>
#include <optional>
#include <vector>

#include "protocol/gdw376/format.h"
#include "protocol/gdw376/frame.h"

/// Questions for values (AFN 0C, 0D), several points and items in a frame. Source: Q/GDW 376.1-2009, 5.4.1,
/// 5.14 and 5.15.
namespace wattmesh::gdw376 {

/// One item of one point.
struct Query {
    std::uint16_t point = 0, item = 0;
    std::optional<WallTime> at;   ///< class 2: the day, the month (its first) or a curve's start
    std::chrono::minutes step{};  ///< of curves: 60, 30, 15, 5 or 1
    std::uint8_t count = 0;       ///< of curves
    friend bool operator==(const Query&, const Query&) = default;
};

/// Values of now: neighbours with the same item and in the same group of eight points share a data unit.
/// Others have a unit each, since terminals do not agree whether a shared one says its time once. Asserts
/// that the frame holds them.
Frame ask(const Address& terminal, Afn afn, const std::vector<Query>& queries, std::uint8_t sequence);
/// The terminal's side. Faults: unexpected (another AFN), unsupported (an item whose length is not known, or
/// all points), truncated, bad_value.
Result<std::vector<Query>> decode_queries(const Frame& frame);

}  // namespace wattmesh::gdw376
