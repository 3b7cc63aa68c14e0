#include "protocol/sts/token.h"

#include <cassert>

namespace wattmesh::sts {
namespace {

constexpr unsigned class_bit = 27;  // of the lower of the two bits that the class displaces
constexpr std::uint64_t class_mask = std::uint64_t{3} << class_bit;

/// 2^64 = 1 844 674 407 * 10^10 + 3 709 551 616: halves of ten digits need no 128-bit division.
constexpr std::uint64_t half = 10'000'000'000, high_upper = 1'844'674'407, high_lower = 3'709'551'616;

struct Halves {
    std::uint64_t upper = 0, lower = 0;  // ten digits each
};

Halves halves_of(const Token& token) {
    const std::uint64_t lower = token.low % half + token.high * high_lower;
    return {token.low / half + token.high * high_upper + lower / half, lower % half};
}

void put_half(std::uint64_t value, char* to) {
    for (int i = 9; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

Token insert_class(const Block& block) {
    const auto number = static_cast<std::uint64_t>(block.token_class);
    return {static_cast<std::uint8_t>((block.bits & class_mask) >> class_bit),
            (block.bits & ~class_mask) | number << class_bit};
}

Block extract_class(const Token& token) {
    return {static_cast<TokenClass>((token.low & class_mask) >> class_bit),
            (token.low & ~class_mask) | std::uint64_t{token.high} << class_bit};
}

std::array<char, token_digits> to_digits(const Token& token) {
    assert(token.high <= 3);
    std::array<char, token_digits> digits;
    const Halves halves = halves_of(token);
    put_half(halves.upper, digits.data());
    put_half(halves.lower, digits.data() + 10);
    return digits;
}

std::string to_string(const Token& token) {
    const auto digits = to_digits(token);
    return {digits.begin(), digits.end()};
}

std::string grouped(const Token& token) {
    const std::string digits = to_string(token);
    std::string text;
    for (std::size_t at = 0; at < digits.size(); at += 4) {
        if (at > 0) text += ' ';
        text += digits.substr(at, 4);
    }
    return text;
}

std::optional<Token> parse_token(std::string_view text) {
    Halves halves;
    std::size_t count = 0;
    for (const char letter : text) {
        if (letter == ' ' || letter == '-') continue;
        if (letter < '0' || letter > '9' || count == token_digits) return std::nullopt;
        std::uint64_t& part = count < 10 ? halves.upper : halves.lower;
        part = part * 10 + static_cast<std::uint64_t>(letter - '0');
        ++count;
    }
    if (count != token_digits) return std::nullopt;
    const auto reaches = [&](std::uint64_t high) {
        const std::uint64_t lower = high * high_lower;
        const Halves bound{high * high_upper + lower / half, lower % half};
        return halves.upper != bound.upper ? halves.upper > bound.upper : halves.lower >= bound.lower;
    };
    if (reaches(4)) return std::nullopt;
    Token token{0, halves.upper * half + halves.lower};  // modulo 2^64
    while (reaches(token.high + 1u)) ++token.high;
    return token;
}

}  // namespace wattmesh::sts
