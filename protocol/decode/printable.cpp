#include "protocol/decode/printable.h"

#include <fmt/format.h>

#include <algorithm>

namespace wattmesh::decode {
namespace {

bool is_plain(std::uint8_t octet) { return octet >= 0x20 && octet < 0x7F; }

/// Octets of the UTF-8 character at the beginning, 0 when it is none or a control character.
/// Source: Unicode 15, table 3-7.
std::size_t utf8_size(Bytes octets) {
    const std::uint8_t first = octets[0];
    const std::size_t size = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
    if (size == 0 || octets.size() < size) return 0;
    const std::uint8_t second = octets[1];
    const bool low = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool high = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    const bool control = first == 0xC2 && second < 0xA0;
    if (low || high || control) return 0;
    const Bytes rest = octets.subspan(1, size - 1);
    return std::all_of(rest.begin(), rest.end(), [](std::uint8_t o) { return (o & 0xC0U) == 0x80; }) ? size
                                                                                                     : 0;
}

}  // namespace

bool is_printable(Bytes octets) {
    return !octets.empty() && std::all_of(octets.begin(), octets.end(), is_plain);
}

std::string printable(Bytes octets) {
    std::string out;
    for (std::size_t i = 0; i < octets.size();) {
        const std::size_t size = is_plain(octets[i]) ? 1 : utf8_size(octets.subspan(i));
        if (size == 0) {
            out += fmt::format("\\x{:02X}", octets[i++]);
            continue;
        }
        out.append(octets.begin() + static_cast<std::ptrdiff_t>(i),
                   octets.begin() + static_cast<std::ptrdiff_t>(i + size));
        i += size;
    }
    return out;
}

std::string json_text(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') out += '\\';
        out += letter;
    }
    return out;
}

std::string hex_words(Bytes octets, std::size_t shown_max) {
    if (octets.size() <= shown_max) return to_hex(octets);
    return fmt::format("{}... ({} octets)", to_hex(octets.first(shown_max)), octets.size());
}

}  // namespace wattmesh::decode
