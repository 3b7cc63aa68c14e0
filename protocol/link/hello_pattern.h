#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"

/// What devices say when they call in, as patterns that can be matched and built: every maker has a log-in
/// and a heartbeat of its own (uplink fact sheet 2), so that they are data and not code.
namespace wattmesh::link {

enum class HelloSum : std::uint8_t {
    x25,     ///< FCS-16, low octet first
    x25be,   ///< FCS-16, high octet first
    modbus,  ///< CRC-16 of Modbus, low octet first
    sum8,    ///< sum of the octets
    xor8,    ///< exclusive or of the octets
};

/// What a pattern found at the beginning of a stream.
struct HelloMatch {
    enum class Verdict : std::uint8_t { no, more, yes } verdict{};
    std::size_t size = 0;            ///< yes: octets of the message
    std::string identity{};          ///< as digits or text, without padding
    bool checksum_ok = true;         ///< counted by the owner, refused only where the profile says so
    std::vector<Buffer> captured{};  ///< what stood where the pattern takes any octet, in order
};

/// One message as a row of elements, separated by spaces:
///
///   0A  0*  *A   an octet, or one half of it        ??      any octet, captured
///   "text"       printable octets                   rest    any octets up to the announced end, captured
///   size8 size16 octets that follow, big endian     idsize  octets of the identity
///   id           the identity                       ( )     begin and end of what the checksum covers
///   x25 x25be modbus sum8 xor8   the checksum       ?1 ?2   in an answer: what was captured, by number
class HelloPattern {
public:
    static constexpr std::size_t message_size_max = 256, identity_size_max = 32, captures_max = 8;
    enum class Encoding : std::uint8_t { ascii, bcd };

    /// `identity_size`: octets, where no `idsize` says it; 0: there is none. The fault is for a person.
    static std::optional<HelloPattern> parse(std::string_view text, Encoding encoding,
                                             std::size_t identity_size, std::string& fault);

    HelloMatch match(Bytes stream) const;
    /// The message. What is captured and not given is 0, or nothing for `rest`. Nothing when the identity
    /// does not fit the encoding or the size.
    std::optional<Buffer> build(std::string_view identity, const std::vector<Buffer>& captured = {}) const;
    bool has_identity() const;
    bool empty() const { return elements_.empty(); }

private:
    struct Element {
        enum class Kind : std::uint8_t {
            literal,
            any,
            rest,
            copy,
            size8,
            size16,
            identity_size,
            identity,
            begin,
            end,
            checksum
        } kind{};
        std::uint8_t value = 0, mask = 0xFF;  ///< literal; copy: number from 1
        HelloSum sum{};
    };
    struct Walk;
    static std::optional<Element> element_of(std::string_view word);
    std::string fault() const;
    /// Octets of the elements behind `index`, where their size does not depend on what they hold.
    std::size_t fixed_size_behind(std::size_t index) const;
    HelloMatch::Verdict step(std::size_t index, Walk& walk) const;
    bool append(const Element& element, Bytes identity, const std::vector<Buffer>& captured,
                std::size_t& next_capture, Buffer& out) const;
    std::optional<Buffer> encoded(std::string_view identity) const;

    std::vector<Element> elements_;
    Encoding encoding_ = Encoding::ascii;
    std::size_t identity_size_ = 0;
};

}  // namespace wattmesh::link
