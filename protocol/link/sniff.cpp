#include "protocol/link/sniff.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "protocol/link/fcs.h"

namespace wattmesh::link {
namespace {

using Verdict = Sniffed::Verdict;

constexpr Sniffed more{Verdict::more, {}}, unknown{Verdict::unknown, {}};
constexpr Sniffed known(Speech speech) { return {Verdict::known, speech}; }

constexpr std::uint8_t begin_68 = 0x68, end_16 = 0x16, flag_7e = 0x7E, preamble_fe = 0xFE;

std::uint8_t sum(Bytes octets) {
    return static_cast<std::uint8_t>(std::accumulate(octets.begin(), octets.end(), 0U));
}
std::size_t u16_be(Bytes octets, std::size_t at) {
    return static_cast<std::size_t>(octets[at]) << 8U | octets[at + 1];
}
std::size_t u16_le(Bytes octets, std::size_t at) {
    return static_cast<std::size_t>(octets[at + 1]) << 8U | octets[at];
}

/// A frame of `size` octets that ends in `end`, with the sum of [from, size - 2) before that.
Sniffed summed(Bytes first, std::size_t from, std::size_t size, Speech speech) {
    if (size > sniff_size_max) return unknown;
    if (first.size() < size) return more;
    const bool right =
        first[size - 1] == end_16 && sum(first.subspan(from, size - 2 - from)) == first[size - 2];
    return right ? known(speech) : unknown;
}

Sniffed sniff_gdw376(Bytes first) {
    if (first.size() < 6) return more;
    if (first[1] != first[3] || first[2] != first[4] || first[5] != begin_68) return unknown;
    return summed(first, 6, (u16_le(first, 1) >> 2U) + 8, Speech::gdw376);
}
Sniffed sniff_mbus(Bytes first) {
    if (first.size() < 4) return more;
    if (first[1] != first[2] || first[3] != begin_68) return unknown;
    return summed(first, 4, first[1] + std::size_t{6}, Speech::mbus);
}
Sniffed sniff_dlt645(Bytes first) {
    if (first.size() < 10) return more;
    if (first[7] != begin_68) return unknown;
    return summed(first, 0, first[9] + std::size_t{12}, Speech::dlt645);
}
/// 68 | length 2 | control | address field: its low four bits say the octets that follow, less one | client |
/// header check over everything behind 68.
Sniffed sniff_dlt698(Bytes first) {
    if (first.size() < 5) return more;
    const std::size_t checked = 4 + (first[4] & 0x0FU) + 1 + 1 + 1;
    if (first.size() < checked + 2) return more;
    return fcs16(first.subspan(1, checked - 1)) == u16_le(first, checked) ? known(Speech::dlt698) : unknown;
}

/// Of several in order: what the first says that does not rule itself out. Nobody is overtaken, so that a
/// verdict never changes.
template <class... Sniffers>
Sniffed first_of(Bytes first, Sniffers... sniffers) {
    for (const auto& one : {sniffers(first)...})
        if (one.verdict != Verdict::unknown) return one;
    return unknown;
}

Sniffed sniff_7e(Bytes first) {
    if (first.size() < 3) return more;
    if ((first[1] & 0xF0U) == 0xA0) {
        const std::size_t length = u16_be(first, 1) & 0x7FFU;
        if (length < 7) return unknown;
        if (first.size() < length + 2) return more;
        const Bytes content = first.subspan(1, length);
        const bool right =
            first[length + 1] == flag_7e && fcs16(content.first(length - 2)) == u16_le(content, length - 2);
        return right ? known(Speech::hdlc) : unknown;
    }
    // PPP with IPv4 begins alike; there the header's 45 makes the length too long.
    if (first[1] != 0xFF || first[2] != 0x03) return unknown;
    if (first.size() < 7) return more;
    const std::size_t size = 7 + u16_be(first, 5) + 3;
    if (size > sniff_size_max) return unknown;
    if (first.size() < size) return more;
    return first[size - 1] == flag_7e ? known(Speech::radio_module) : unknown;
}

bool is_apdu_tag(std::uint8_t tag) {
    constexpr std::array<std::uint8_t, 10> others{0x0F, 0x60, 0x61, 0x62, 0x63, 0xD8, 0xD9, 0xDA, 0xE6, 0xE7};
    return (tag >= 0xC0 && tag <= 0xCF) || (tag >= 0xDB && tag <= 0xE0) ||
           std::ranges::find(others, tag) != others.end();
}
/// Ports that are 0 are nobody's; Modbus TCP, which begins alike, has them so.
Sniffed sniff_wrapper(Bytes first) {
    if (first.size() < 9) return first.size() < 2 || first[1] == 0x01 ? more : unknown;
    if (first[1] != 0x01 || u16_be(first, 2) == 0 || u16_be(first, 4) == 0 || u16_be(first, 6) == 0)
        return unknown;
    constexpr std::array<std::uint8_t, 4> hello{0x0A, 0x0C, 0xAA, 0xCC};
    const bool said = is_apdu_tag(first[8]) || std::ranges::find(hello, first[8]) != hello.end();
    return said ? known(Speech::wrapper) : unknown;
}

Sniffed sniff_apdu(Bytes first) {
    const auto when = [&](std::size_t needed, auto fits) {
        if (first.size() < needed) return more;
        return fits() ? known(Speech::bare_apdu) : unknown;
    };
    switch (first[0]) {
        case 0x0F:  // long invoke-id, then the length of a date-time (perhaps behind its tag)
            return when(6, [&] { return first[5] == 0 || first[5] == 0x0C || first[5] == 0x09; });
        case 0xC2:  // presence of a time; one maker writes the tag of an octet-string
            return when(2, [&] { return first[1] <= 1 || first[1] == 0x09; });
        case 0x60:
        case 0x61:
            return when(2, [&] { return first[1] > 0 && first[1] < 0x80; });
        case 0xDB:
        case 0xDC:  // system title
            return when(2, [&] { return first[1] == 8; });
        case 0xE6:
        case 0xE7:  // network, length of the address, address, APDU
            if (first.size() < 3) return more;
            if (first[2] > 32) return unknown;
            return when(first[2] + std::size_t{4}, [&] { return is_apdu_tag(first[first[2] + 3U]); });
        default:
            return unknown;
    }
}

Sniffed sniff_dtu(Bytes first) {
    if (first.size() < 2) return more;
    if (first[1] != 0x01) return unknown;
    if (first[0] == 0xAA) {
        constexpr std::size_t digits = 11;
        for (std::size_t i = 2; i < std::min(first.size(), 2 + digits); ++i)
            if (first[i] < '0' || first[i] > '9') return unknown;
        if (first.size() < 3 + digits) return more;
        return first[2 + digits] == 0x0D ? known(Speech::dtu_login) : unknown;
    }
    if (first.size() < 4) return more;
    const std::size_t size = u16_be(first, 2);
    if (size < 16 || size > 1'024) return unknown;
    if (first.size() < size) return more;
    return first[size - 1] == 0x7B ? known(Speech::ddp) : unknown;
}

/// "/" and the three letters of a maker.
Sniffed sniff_line(Bytes first) {
    const auto letter = [](std::uint8_t octet) {
        return (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
    };
    for (std::size_t i = 1; i < std::min<std::size_t>(first.size(), 4); ++i)
        if (!letter(first[i])) return unknown;
    return first.size() < 4 ? more : known(Speech::iec62056_21);
}

}  // namespace

Sniffed sniff(Bytes first) {
    if (first.empty()) return more;
    switch (first[0]) {
        case preamble_fe: {
            const auto end = std::ranges::find_if(first, [](auto octet) { return octet != preamble_fe; });
            const auto skipped = static_cast<std::size_t>(end - first.begin());
            if (skipped > 4) return unknown;
            if (end == first.end()) return more;
            return *end == begin_68 ? sniff_dlt645(first.subspan(skipped)) : unknown;
        }
        case begin_68:
            return first_of(first, sniff_gdw376, sniff_mbus, sniff_dlt645, sniff_dlt698);
        case flag_7e:
            return sniff_7e(first);
        case 0x00:
            return sniff_wrapper(first);
        case 0x7B:
        case 0xAA:
            return sniff_dtu(first);
        case '/':
            return sniff_line(first);
        default:
            return sniff_apdu(first);
    }
}

std::string_view to_string(Speech speech) {
    constexpr std::array<std::string_view, 11> words{"gdw376", "dlt645",       "dlt698",     "mbus",
                                                     "hdlc",   "radio_module", "wrapper",    "bare_apdu",
                                                     "ddp",    "dtu_login",    "iec62056_21"};
    return words.at(static_cast<std::size_t>(speech));
}

}  // namespace wattmesh::link
