#include "protocol/modbus/register_map.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "protocol/modbus/maps.h"

namespace wattmesh::modbus {

namespace {

constexpr const RegisterMap* known_maps[]{&maps::em6400ng, &maps::em6400, &maps::em1200};

/// Addresses that have to be read for a point, and which point.
struct Wanted {
    std::uint16_t begin = 0, end = 0;
    std::size_t point = 0;
};

Wanted wanted(const RegisterMap& map, std::size_t index) {
    const Point& point = map.points[index];
    assert(point.number >= map.base);
    const auto begin = static_cast<std::uint16_t>(point.number - map.base);
    const auto end = static_cast<std::uint16_t>(begin + register_count(point.type));
    for (const WholeBlock& whole : map.whole_blocks) {
        const auto first = static_cast<std::uint16_t>(whole.first - map.base);
        const auto behind = static_cast<std::uint16_t>(first + whole.count);
        if (begin >= first && end <= behind) return {first, behind, index};
    }
    return {begin, end, index};
}

}  // namespace

const RegisterMap* find_map(std::string_view name) {
    const auto found = std::ranges::find(known_maps, name, &RegisterMap::name);
    return found == std::end(known_maps) ? nullptr : *found;
}
std::span<const RegisterMap* const> all_maps() { return known_maps; }

std::vector<Block> blocks(const RegisterMap& map, Pace pace, const BlockLimits& limits) {
    assert(limits.registers_max >= 1 && limits.registers_max <= read_registers_max);
    std::vector<Wanted> all;
    for (std::size_t i = 0; i < map.points.size(); ++i)
        if (map.points[i].pace == pace) all.push_back(wanted(map, i));
    std::ranges::sort(all, [](const Wanted& a, const Wanted& b) {
        return std::tuple{a.begin, a.end, a.point} < std::tuple{b.begin, b.end, b.point};
    });
    std::vector<Block> out;
    std::uint16_t end = 0;
    for (const Wanted& next : all) {
        assert(next.end - next.begin <= limits.registers_max);
        const bool joins = !out.empty() && next.begin <= end + limits.gap_max &&
                           std::max(next.end, end) - out.back().read.start <= limits.registers_max;
        if (!joins) {
            out.push_back({Read{map.function, next.begin, 0}, {}});
            end = next.begin;
        }
        end = std::max(end, next.end);
        out.back().read.count = static_cast<std::uint16_t>(end - out.back().read.start);
        out.back().points.push_back(next.point);
    }
    return out;
}

std::optional<double> value_of(const RegisterMap& map, const Point& point, const Block& block,
                               std::span<const std::uint16_t> registers) {
    const std::size_t at = static_cast<std::size_t>(point.number - map.base) - block.read.start;
    assert(registers.size() == block.read.count && at + register_count(point.type) <= registers.size());
    auto number = decode_number(registers.subspan(at), point.type, map.order);
    if (!number) return std::nullopt;
    if (point.four_quadrants) return power_factor(*number);
    return *number * point.scale;
}

double power_factor(double four_quadrants) {
    if (four_quadrants > 1) return 2 - four_quadrants;
    if (four_quadrants < -1) return -2 - four_quadrants;
    return four_quadrants;
}

}  // namespace wattmesh::modbus
