#include "protocol/modbus/map_check.h"

#include <array>
#include <cstdio>

namespace wattmesh::modbus {

namespace {

struct Orders {
    std::string_view word;
    WordOrder order;
};
constexpr Orders orders[]{{"abcd", WordOrder::abcd},
                          {"cdab", WordOrder::cdab},
                          {"badc", WordOrder::badc},
                          {"dcba", WordOrder::dcba}};

enum class Kind : std::uint8_t { other, frequency, voltage };
Kind kind_of(const ObisCode& quantity) {
    if (quantity.groups[3] != 7) return Kind::other;
    switch (quantity.groups[2]) {
        case 14:
            return Kind::frequency;
        case 12:
        case 32:
        case 52:
        case 72:
            return Kind::voltage;
        default:
            return Kind::other;
    }
}
bool plausible(Kind kind, double value) {
    return kind == Kind::frequency ? value >= 45 && value <= 65 : value >= 20 && value <= 1e6;
}

struct Look {
    int plausible = 0, not_plausible = 0;
    double worst = 0;  ///< the first value that is not
    Kind worst_kind = Kind::other;
};

/// The answer as if the map had this word order and its registers stood `shift` further on.
Look look(const RegisterMap& map, WordOrder order, int shift, std::uint16_t start,
          std::span<const std::uint16_t> registers) {
    Look out;
    for (const Point& point : map.points) {
        const Kind kind = kind_of(point.quantity);
        const int at = point.number - map.base + shift - start;
        const int size = register_count(point.type);
        if (kind == Kind::other || at < 0 || at + size > static_cast<int>(registers.size())) continue;
        const auto number =
            decode_number(registers.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(size)),
                          point.type, order);
        if (!number || *number == 0) continue;
        const double value = *number * point.scale;
        if (plausible(kind, value)) {
            ++out.plausible;
        } else if (out.not_plausible++ == 0) {
            out.worst = value;
            out.worst_kind = kind;
        }
    }
    return out;
}

bool fits(const Look& one) { return one.plausible > 0 && one.not_plausible == 0; }

}  // namespace

std::string_view to_string(WordOrder order) {
    for (const auto& one : orders)
        if (one.order == order) return one.word;
    return "?";
}

std::optional<WordOrder> word_order_named(std::string_view word) {
    for (const auto& one : orders)
        if (one.word == word) return one.order;
    return std::nullopt;
}

MapCheck check_map(const RegisterMap& map, std::uint16_t start, std::span<const std::uint16_t> registers) {
    const Look as_told = look(map, map.order, 0, start, registers);
    if (fits(as_told)) return {MapCheck::Verdict::fits, {}};
    if (as_told.not_plausible == 0) return {MapCheck::Verdict::untold, {}};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.4g %s", as_told.worst,
                  as_told.worst_kind == Kind::frequency ? "Hz" : "V");
    std::string why =
        "it reads " + std::string{text.data()} + " with word order " + std::string{to_string(map.order)};
    // Of floats in a row, a word order and a base can both explain the same octets.
    std::string better;
    const auto add = [&](const std::string& what) { better += (better.empty() ? "" : " or ") + what; };
    for (const auto& one : orders)
        if (one.order != map.order && fits(look(map, one.order, 0, start, registers)))
            add(std::string{one.word});
    for (const int shift : {1, -1})
        if (fits(look(map, map.order, shift, start, registers)))
            add("base " + std::to_string(map.base - shift));
    why += better.empty() ? ", and with no other either" : "; " + better + " would be plausible";
    return {MapCheck::Verdict::wrong, why};
}

}  // namespace wattmesh::modbus
