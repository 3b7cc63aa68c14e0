#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Tokens of the Standard Transfer Specification: 66 bits as 20 decimal digits. Source: IEC 62055-41
/// (edition 3), 6.2 and 6.4.
namespace wattmesh::sts {

/// What a token is about. Classes 0 and 2 are encrypted, 1 is not, 3 is reserved.
enum class TokenClass : std::uint8_t { credit = 0, test = 1, management = 2, reserved = 3 };

/// The data block with its class: subclass, content and checksum, from the most significant bit on.
struct Block {
    TokenClass token_class{};
    std::uint64_t bits = 0;
    friend bool operator==(const Block&, const Block&) = default;
};

/// The number that is keyed in: bits 65 and 64, and the 64 below.
struct Token {
    std::uint8_t high = 0;  ///< 0 to 3
    std::uint64_t low = 0;
    friend bool operator==(const Token&, const Token&) = default;
};

inline constexpr std::size_t token_digits = 20;

/// The class takes the place of bits 28 and 27, which move to the top (6.4.5).
Token insert_class(const Block& block);
/// Any token has a block: the class is read, the two bits go back.
Block extract_class(const Token& token);

/// 20 digits without blanks.
std::array<char, token_digits> to_digits(const Token& token);
std::string to_string(const Token& token);
/// Five groups of four, as receipts show it.
std::string grouped(const Token& token);
/// 20 digits; blanks and hyphens between them are borne with. Nothing for anything else and for a number of
/// more than 66 bits.
std::optional<Token> parse_token(std::string_view text);

}  // namespace wattmesh::sts
