#include <algorithm>
#include <array>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/parts.h"

// Initiate services and their errors. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.4.3, 9.4.6 and 9.5.
namespace wattmesh::decode {
namespace {

void optional_octet(Walk& walk, std::string_view name) {
    const std::size_t at = walk.here();
    if (!read_presence(walk, name)) return;
    const std::uint8_t value = walk.in.u8();
    walk.line(at, "{} {}", name, value);
}

/// [APPLICATION 31] IMPLICIT BIT STRING of 24 bits, the one BER field in an A-XDR message.
void conformance(Walk& walk, std::string_view whose) {
    const std::size_t at = walk.here();
    const auto octet = [&](std::uint8_t expected) {
        const std::size_t place = walk.here();
        const std::uint8_t found = walk.in.u8();
        if (found != expected)
            walk.fail(Fault::bad_value, place,
                      fmt::format("the conformance block begins with 5F1F0400 (or 5F0400); {:02X} instead of "
                                  "{:02X}",
                                  found, expected));
    };
    octet(0x5F);
    if (walk.in.peek() == 0x1F) walk.in.skip(1);
    octet(0x04);
    octet(0x00);
    const std::uint32_t bits = walk.in.u24();
    walk.title(at, "{} conformance {:06X}", whose, bits);
    for (const auto& words : conformance_words(bits)) walk.line(at, "{}", words);
    --walk.depth;
}

void version(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t number = walk.in.u8();
    walk.line(at, "DLMS version {}", number);
}

void pdu_size(Walk& walk, std::string_view whose) {
    const std::size_t at = walk.here();
    const std::uint16_t size = walk.in.u16();
    const bool limited = size != 0 && size != 0xFFFF;
    if (limited)
        walk.line(at, "{} receives PDUs of up to {} octets", whose, size);
    else
        walk.line(at, "{} receives PDUs of any size ({:04X})", whose, size);
}

}  // namespace

void initiate_request_lines(Walk& walk) {
    walk.where = "initiate-request";
    walk.title(walk.here(), "initiate-request");
    walk.in.skip(1);
    std::size_t at = walk.here();
    if (read_presence(walk, "dedicated key")) {
        const std::size_t size = walk.length();
        if (size != 16 && size != 32)
            walk.fail(Fault::bad_value, at, fmt::format("a dedicated key has 16 or 32 octets, not {}", size));
        const Bytes key = walk.take_secret(size);
        walk.line(at, "dedicated key, {} octets (a secret, not shown)", size);
        if (walk.in.ok()) walk.session.dedicated = SymmetricKey::from(key);
    }
    at = walk.here();
    if (read_presence(walk, "response allowed")) {
        const bool allowed = walk.in.u8() != 0;
        walk.line(at, "response {}", allowed ? "allowed" : "not wanted");
    }
    optional_octet(walk, "quality of service");
    version(walk);
    conformance(walk, "proposed");
    pdu_size(walk, "client");
}

void initiate_response_lines(Walk& walk) {
    walk.where = "initiate-response";
    walk.title(walk.here(), "initiate-response");
    walk.in.skip(1);
    optional_octet(walk, "quality of service");
    version(walk);
    conformance(walk, "negotiated");
    pdu_size(walk, "server");
    const std::size_t at = walk.here();
    const std::uint16_t name = walk.in.u16();
    walk.line(at, "VAA name {:04X} ({})", name,
              name == 0x0007   ? "logical names"
              : name == 0xFA00 ? "short names"
                               : "unknown");
}

void service_error_lines(Walk& walk) {
    walk.where = "confirmed-service-error";
    walk.title(walk.here(), "confirmed-service-error");
    walk.in.skip(1);
    constexpr std::string_view kinds[]{"application-reference",
                                       "hardware-resource",
                                       "vde-state-error",
                                       "service",
                                       "definition",
                                       "access",
                                       "initiate",
                                       "load-data-set",
                                       "change-scope",
                                       "task",
                                       "other"};
    constexpr std::string_view initiate_errors[]{"other", "dlms-version-too-low", "incompatible-conformance",
                                                 "pdu-size-too-short", "refused-by-the-VDE-handler"};
    std::size_t at = walk.here();
    const std::uint8_t service = walk.in.u8();
    walk.line(at, "service {} ({})",
              service == 1   ? "initiate"
              : service == 5 ? "read"
              : service == 6 ? "write"
                             : "unknown",
              service);
    at = walk.here();
    const std::uint8_t kind = walk.in.u8();
    walk.line(at, "kind of error {} ({})", kind < std::size(kinds) ? kinds[kind] : "unknown", kind);
    at = walk.here();
    const std::uint8_t value = walk.in.u8();
    const bool named = kind == 6 && value < std::size(initiate_errors);
    walk.line(at, "error {} ({})", named ? initiate_errors[value] : "number", value);
}

}  // namespace wattmesh::decode
