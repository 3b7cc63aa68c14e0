#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

/// Head of a data unit: about which measurement points (DA) and which items (DT). Source: Q/GDW
/// 376.1-2009, 5.4.1.
namespace wattmesh::gdw376 {

inline constexpr std::uint16_t terminal_point = 0;  ///< p0: the terminal itself
inline constexpr std::uint16_t point_max = 2'040;   ///< 255 groups of eight
inline constexpr std::uint16_t item_max = 248;      ///< 31 groups of eight

/// Points and items both from one group of eight; ascending, as the data behind stand.
struct UnitHead {
    std::vector<std::uint16_t> points{terminal_point};
    std::vector<std::uint16_t> items;
    bool all_points = false;  ///< DA FF 00: every valid point; `points` is empty then
    friend bool operator==(const UnitHead&, const UnitHead&) = default;
};
/// Asserts that points and items are of one group each.
void encode(Writer& out, const UnitHead& head);
/// Faults of `in`: bad_value for a group of no points or items, or beyond the limits.
UnitHead decode_unit_head(Reader& in);

}  // namespace wattmesh::gdw376
