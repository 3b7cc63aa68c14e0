#include "protocol/decode/printable.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/utf8.h"

namespace wattmesh::decode {
namespace {

bool is_plain(std::uint8_t octet) { return octet >= 0x20 && octet < 0x7F; }

/// Octets of the character at the beginning, 0 when it is none or a control character.
std::size_t shown_size(Bytes octets) {
    if (octets[0] < 0x80) return is_plain(octets[0]) ? 1 : 0;
    const bool control = octets[0] == 0xC2 && octets.size() > 1 && octets[1] < 0xA0;
    return control ? 0 : utf8_size(octets);
}

}  // namespace

bool is_printable(Bytes octets) {
    return !octets.empty() && std::all_of(octets.begin(), octets.end(), is_plain);
}

std::string printable(Bytes octets) {
    std::string out;
    for (std::size_t i = 0; i < octets.size();) {
        const std::size_t size = shown_size(octets.subspan(i));
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
