#include "protocol/base/obis.h"

#include <charconv>
#include <vector>

namespace wattmesh {

std::optional<ObisCode> ObisCode::parse(std::string_view text) {
    std::vector<std::uint8_t> numbers;
    std::string separators;
    while (!text.empty()) {
        std::uint8_t number = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (fault != std::errc{} || numbers.size() == 6) return std::nullopt;
        numbers.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty()) break;
        separators += text.front();
        text.remove_prefix(1);
        if (text.empty()) return std::nullopt;
    }
    const auto made = [&](std::uint8_t a, std::uint8_t b, std::size_t from, std::uint8_t f) {
        return ObisCode{{a, b, numbers[from], numbers[from + 1], numbers[from + 2], f}};
    };
    if (separators == "..") return made(1, 0, 0, 255);
    if (separators == "-:..") return made(numbers[0], numbers[1], 2, 255);
    if (separators == "-:..*" || separators == "-:..." || separators == ".....")
        return made(numbers[0], numbers[1], 2, numbers[5]);
    return std::nullopt;
}

std::string to_string(const ObisCode& code) {
    const auto& g = code.groups;
    return std::to_string(g[0]) + '-' + std::to_string(g[1]) + ':' + std::to_string(g[2]) + '.' +
           std::to_string(g[3]) + '.' + std::to_string(g[4]) + '*' + std::to_string(g[5]);
}

}  // namespace wattmesh
