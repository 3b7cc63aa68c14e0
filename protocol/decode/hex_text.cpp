#include "protocol/decode/hex_text.h"

#include <fmt/format.h>

#include "protocol/decode/printable.h"

namespace wattmesh::decode {
namespace {

int digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}
bool is_between(char letter) {
    return std::string_view{" \t\r\n,;:-"}.find(letter) != std::string_view::npos;
}

}  // namespace

HexText read_hex(std::string_view text) {
    HexText out;
    for (std::size_t i = 0; i < text.size();) {
        if (is_between(text[i]) || text[i] == '$') {
            ++i;
            continue;
        }
        if (text[i] == '0' && i + 1 < text.size() && (text[i + 1] == 'x' || text[i + 1] == 'X')) {
            i += 2;
            continue;
        }
        const int high = digit(text[i]);
        const int low = i + 1 < text.size() ? digit(text[i + 1]) : -1;
        if (high < 0 || low < 0) {
            const std::size_t at = high < 0 ? i : i + 1;
            const bool missing = at >= text.size() || is_between(text[at]);
            out.wrong = missing
                            ? fmt::format("octet {} (counted from 0) has one digit only", out.octets.size())
                            : fmt::format("'{}' in the place of octet {} (counted from 0)",
                                          printable(as_bytes(text.substr(at, 1))), out.octets.size());
            return out;
        }
        out.octets.push_back(static_cast<std::uint8_t>(high << 4 | low));
        i += 2;
    }
    return out;
}

}  // namespace wattmesh::decode
