#include "protocol/base/utf8.h"

#include <algorithm>

namespace wattmesh {
namespace {

bool goes_on(std::uint8_t octet) { return (octet & 0xC0U) == 0x80; }

}  // namespace

std::size_t utf8_size(Bytes octets) {
    if (octets.empty()) return 0;
    const std::uint8_t first = octets[0];
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
    if (size == 0 || octets.size() < size) return 0;
    const std::uint8_t second = octets[1];
    const bool low = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool high = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    if (low || high) return 0;
    const Bytes rest = octets.subspan(1, size - 1);
    return std::all_of(rest.begin(), rest.end(), goes_on) ? size : 0;
}

bool is_utf8(std::string_view text) {
    for (auto rest = as_bytes(text); !rest.empty();) {
        const auto size = utf8_size(rest);
        if (size == 0) return false;
        rest = rest.subspan(size);
    }
    return true;
}

std::string utf8_cut(std::string_view text, std::size_t octets_max) {
    if (text.size() <= octets_max) return std::string{text};
    while (octets_max > 0 && goes_on(static_cast<std::uint8_t>(text[octets_max]))) --octets_max;
    return std::string{text.substr(0, octets_max)};
}

}  // namespace wattmesh
