#include "protocol/gdw376/unit.h"

#include <cassert>

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint8_t all = 0xFF;

/// Numbers 8g+1 to 8g+8 whose bit is set.
std::vector<std::uint16_t> numbers_of(std::uint8_t mask, std::uint16_t group) {
    std::vector<std::uint16_t> out;
    for (unsigned bit = 0; bit < 8; ++bit)
        if ((mask >> bit & 1U) != 0) out.push_back(static_cast<std::uint16_t>(group * 8 + bit + 1));
    return out;
}

std::uint8_t mask_of(const std::vector<std::uint16_t>& numbers, [[maybe_unused]] std::uint16_t max) {
    assert(!numbers.empty());
    unsigned mask = 0;
    for (const auto number : numbers) {
        assert(number >= 1 && number <= max && (number - 1) / 8 == (numbers[0] - 1) / 8);
        mask |= 1U << ((number - 1) % 8);
    }
    return static_cast<std::uint8_t>(mask);
}

}  // namespace

void encode(Writer& out, const UnitHead& head) {
    if (head.all_points) {
        out.u8(all).u8(0);
    } else if (head.points == std::vector<std::uint16_t>{terminal_point}) {
        out.u8(0).u8(0);
    } else {
        out.u8(mask_of(head.points, point_max)).u8(static_cast<std::uint8_t>((head.points[0] - 1) / 8 + 1));
    }
    out.u8(mask_of(head.items, item_max)).u8(static_cast<std::uint8_t>((head.items[0] - 1) / 8));
}

UnitHead decode_unit_head(Reader& in) {
    UnitHead head;
    const auto at = in.position();
    const auto point_mask = in.u8(), point_group = in.u8(), item_mask = in.u8(), item_group = in.u8();
    if (!in.ok()) return head;
    if (point_group == 0 && point_mask == all) {
        head.all_points = true;
        head.points.clear();
    } else if (point_group == 0) {
        if (point_mask != 0) in.fail_at(Fault::bad_value, at);
    } else {
        head.points = numbers_of(point_mask, static_cast<std::uint16_t>(point_group - 1));
        if (head.points.empty()) in.fail_at(Fault::bad_value, at);
    }
    head.items = numbers_of(item_mask, item_group);
    if (head.items.empty() || item_group > (item_max - 1) / 8) in.fail_at(Fault::bad_value, at + 2);
    return head;
}

}  // namespace wattmesh::gdw376
