#include "headend/vending/shopfront.h"

#include <algorithm>
#include <string_view>

namespace wattmesh::headend::vending {
namespace {

constexpr std::string_view hidden = "\u2022\u2022";

/// Octets of the UTF-8 letter that begins with this one; a broken text counts as one each.
std::size_t letter_size(char first) {
    const auto octet = static_cast<unsigned char>(first);
    if (octet >= 0xF0) return 4;
    if (octet >= 0xE0) return 3;
    return octet >= 0xC0 ? 2 : 1;
}

std::string masked_word(std::string_view word) {
    const auto first = std::min(letter_size(word.front()), word.size());
    const bool shows = first < word.size() && !(word.front() >= '0' && word.front() <= '9');
    return (shows ? std::string{word.substr(0, first)} : std::string{}) + std::string{hidden};
}

}  // namespace

std::string money_text(const Shopfront& front, pricing::Money money) {
    const bool negative = money.minor < 0;
    auto digits = std::to_string(negative ? -money.minor : money.minor);
    const auto places = static_cast<std::size_t>(front.decimals);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    for (auto at = static_cast<std::ptrdiff_t>(digits.size() - places) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), " ");
    if (places > 0) digits.insert(digits.size() - places, ".");
    return (front.currency.empty() ? "" : front.currency + " ") + (negative ? "-" : "") + digits;
}

std::string masked(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        if (end > at)
            result += (result.empty() ? "" : " ") + masked_word(std::string_view{text}.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

}  // namespace wattmesh::headend::vending
