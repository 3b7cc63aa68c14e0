#include "headend/frontend/address_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace wattmesh::headend::frontend {
namespace {

using Octets = std::array<std::uint8_t, 16>;

constexpr unsigned mapped_bits = 96;  // ::ffff:0:0/96, RFC 4291 2.5.5.2

std::optional<Octets> octets_of(std::string_view address, bool& is_v4) {
    const std::string text{address};
    Octets octets{};
    is_v4 = inet_pton(AF_INET, text.c_str(), octets.data() + 12) == 1;
    if (is_v4) {
        octets[10] = octets[11] = 0xFF;
        return octets;
    }
    if (inet_pton(AF_INET6, text.c_str(), octets.data()) != 1) return std::nullopt;
    return octets;
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    const auto slash = text.find('/');
    bool is_v4 = false;
    const auto first = octets_of(text.substr(0, slash), is_v4);
    if (!first) return std::nullopt;
    const unsigned bits_max = is_v4 ? 32 : 128;
    AddressRange range;
    range.first_ = *first;
    range.bits_ = bits_max;
    if (slash != std::string_view::npos) {
        const auto bits = text.substr(slash + 1);
        const auto end = std::from_chars(bits.data(), bits.data() + bits.size(), range.bits_);
        if (end.ec != std::errc{} || end.ptr != bits.data() + bits.size() || range.bits_ > bits_max)
            return std::nullopt;
    }
    if (is_v4) range.bits_ += mapped_bits;
    return range;
}

bool AddressRange::holds(std::string_view address) const {
    bool is_v4 = false;
    const auto octets = octets_of(address, is_v4);
    if (!octets) return false;
    for (unsigned bit = 0; bit < bits_; ++bit) {
        const unsigned mask = 0x80U >> bit % 8;
        if ((((*octets)[bit / 8] ^ first_[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

bool admits(const std::vector<AddressRange>& ranges, std::string_view address) {
    return ranges.empty() ||
           std::ranges::any_of(ranges, [&](const AddressRange& range) { return range.holds(address); });
}

}  // namespace wattmesh::headend::frontend
