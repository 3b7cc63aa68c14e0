#include <algorithm>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"

// AARQ, AARE, RLRQ and RLRE, in BER. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.4.2 and 9.5.
namespace wattmesh::decode {
namespace {

constexpr std::uint8_t tag_aarq = 0x60, tag_aare = 0x61;
constexpr std::uint8_t ber_integer = 0x02, ber_octet_string = 0x04, ber_object_identifier = 0x06;
constexpr std::uint8_t graphic_string = 0x80;

/// A nested element: its tag and length are read; the number of octets of its content.
std::size_t nested(Walk& walk, std::uint8_t tag, std::string_view what) {
    const std::size_t at = walk.here();
    const std::uint8_t found = walk.in.u8();
    if (found != tag)
        walk.fail(Fault::bad_tag, at, fmt::format("{} begins with {:02X}, here is {:02X}", what, tag, found));
    return walk.length();
}

std::uint8_t small_integer(Walk& walk, std::string_view what) {
    const std::size_t at = walk.here();
    const std::size_t size = nested(walk, ber_integer, what);
    if (size != 1) walk.fail(Fault::bad_value, at, fmt::format("{} of {} octets, not 1", what, size));
    return walk.in.u8();
}

/// 2.16.756.5.8.`arc`.n: the n.
std::uint8_t name_of(Walk& walk, std::size_t size, std::uint8_t arc, std::string_view what) {
    const std::size_t at = walk.here();
    const Bytes name = walk.take(size);
    const std::uint8_t root[]{0x60, 0x85, 0x74, 0x05, 0x08, arc};
    if (!walk.in.ok()) return 0;
    if (name.size() != 7 || !std::equal(std::begin(root), std::end(root), name.begin()))
        walk.fail(Fault::bad_value, at, fmt::format("{} is not a name of DLMS UA", what));
    return name.empty() ? std::uint8_t{0} : name.back();
}

void title_field(Walk& walk, std::size_t at, std::string_view who) {
    const Bytes title = walk.take(nested(walk, ber_octet_string, who));
    walk.line(at, "{} system title {}", who, title_words(title));
    if (walk.in.ok() && title.size() != 8)
        walk.fail(Fault::bad_value, at, fmt::format("a system title has 8 octets, not {}", title.size()));
    if (!walk.in.ok()) return;
    SystemTitle known;
    std::copy(title.begin(), title.end(), known.octets.begin());
    walk.session.titles.push_back(known);
}

std::string_view result_name(std::uint8_t result) {
    constexpr std::string_view names[]{"accepted", "rejected for good", "rejected for now"};
    return result < 3 ? names[result] : "unknown";
}

/// acse-service-user (A1) and acse-service-provider (A2).
std::string diagnostic_words(std::uint8_t source, std::uint8_t diagnostic) {
    constexpr std::string_view user[]{"none",
                                      "no reason given",
                                      "application context name not supported",
                                      "calling AP title not recognised",
                                      "calling AP invocation identifier not recognised",
                                      "calling AE qualifier not recognised",
                                      "calling AE invocation identifier not recognised",
                                      "called AP title not recognised",
                                      "called AP invocation identifier not recognised",
                                      "called AE qualifier not recognised",
                                      "called AE invocation identifier not recognised",
                                      "authentication mechanism name not recognised",
                                      "authentication mechanism name required",
                                      "authentication failure",
                                      "authentication required: HLS goes on with pass 3"};
    constexpr std::string_view provider[]{"none", "no reason given", "no common ACSE version"};
    const bool of_user = source == 0xA1;
    std::string_view name = "unknown";
    if (of_user && diagnostic < std::size(user)) name = user[diagnostic];
    if (!of_user && diagnostic < std::size(provider)) name = provider[diagnostic];
    return fmt::format("{} ({}, of the ACSE service {})", name, diagnostic, of_user ? "user" : "provider");
}

/// The fields of one APDU in order; the mechanism tells whether the authentication value is a secret.
class Fields {
public:
    Fields(Walk& walk, std::uint8_t apdu) : walk_(walk), apdu_(apdu) {}

    void all() {
        while (walk_.in.ok() && walk_.in.remaining() > 0) {
            const std::size_t at = walk_.here();
            const std::uint8_t tag = walk_.in.u8();
            walk_.sized(walk_.where, [&](Walk& field) { one(field, at, tag); });
        }
    }

private:
    void one(Walk& field, std::size_t at, std::uint8_t tag) {
        const bool response = apdu_ == tag_aare;
        const bool association = response || apdu_ == tag_aarq;
        if (tag == 0xBE) return user_information(field, at);
        if (association && tag == 0xA1) return context(field, at);
        if (association && tag == (response ? 0xA4 : 0xA6))
            return title_field(field, at, response ? "responding" : "calling");
        if (response && tag == 0xA2) {
            const std::uint8_t result = small_integer(field, "result");
            return field.line(at, "result {} ({})", result_name(result), result);
        }
        if (response && tag == 0xA3) return diagnostic(field, at);
        if (association && tag == (response ? 0x88 : 0x8A)) {
            const Bytes bits = field.in.rest();
            return field.line(at, "ACSE requirements {}{}", to_hex(bits),
                              bits.size() == 2 && bits[1] == 0x80 ? " (authentication)" : "");
        }
        if (association && tag == (response ? 0x89 : 0x8B)) return mechanism(field, at);
        if (association && tag == (response ? 0xAA : 0xAC)) return authentication(field, at);
        if (!association && tag == 0x80) return reason(field, at);
        const Bytes other = field.in.rest();
        field.line(at, "field {:02X}: {}", tag, hex_words(other, 32));
    }

    static void context(Walk& field, std::size_t at) {
        const std::size_t size = nested(field, ber_object_identifier, "application context name");
        const std::uint8_t name = name_of(field, size, 1, "application context name");
        field.line(at, "application context {}", context_words(name));
    }
    static void diagnostic(Walk& field, std::size_t at) {
        const std::uint8_t source = field.in.peek().value_or(0);
        nested(field, source == 0xA2 ? 0xA2 : 0xA1, "diagnostic");
        const std::uint8_t number = small_integer(field, "diagnostic");
        field.line(at, "diagnostic: {}", diagnostic_words(source, number));
    }
    void mechanism(Walk& field, std::size_t at) {
        mechanism_ = name_of(field, field.in.remaining(), 2, "mechanism name");
        field.line(at, "mechanism {}", mechanism_words(mechanism_));
    }
    void authentication(Walk& field, std::size_t at) {
        const std::size_t size = nested(field, graphic_string, "authentication value");
        if (mechanism_ < 2) {
            field.take_secret(size);
            return field.line(at, "password, {} octets (a secret, not shown)", size);
        }
        const Bytes challenge = field.take(size);
        field.line(at, "challenge {} {}{}", apdu_ == tag_aarq ? "CtoS" : "StoC", to_hex(challenge),
                   is_printable(challenge) ? " \"" + printable(challenge) + '"' : "");
    }
    void reason(Walk& field, std::size_t at) const {
        const std::uint8_t number = field.in.u8();
        const std::string_view urgent = apdu_ == 0x62 ? "urgent" : "not finished";
        field.line(at, "reason {} ({})",
                   number == 0    ? "normal"
                   : number == 1  ? urgent
                   : number == 30 ? "user defined"
                                  : "unknown",
                   number);
    }
    static void user_information(Walk& field, std::size_t at) {
        const std::size_t size = nested(field, ber_octet_string, "user information");
        field.title(at, "user information, {} octets", size);
        field.inner(size, "user information", apdu_lines);
    }

    Walk& walk_;
    std::uint8_t apdu_;
    std::uint8_t mechanism_ = 0;
};

}  // namespace

void association_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t tag = walk.in.u8();
    walk.where = apdu_name(tag);
    walk.title(at, "{}", walk.where);
    walk.sized(walk.where, [&](Walk& body) { Fields{body, tag}.all(); });
}

}  // namespace wattmesh::decode
