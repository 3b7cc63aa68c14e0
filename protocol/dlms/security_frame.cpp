#include "protocol/dlms/security_frame.h"

#include "protocol/base/reader.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t control_size = 5;  // security control and invocation counter
constexpr std::size_t tag_size = 12;
constexpr std::size_t title_size = 8;
// Transaction ids have 8 octets, date-time 12; other information is for project specific companions.
constexpr std::size_t header_field_size_max = 64;
constexpr std::size_t key_info_size_max = 256;  // an ephemeral key and a signature on P-384 take 192
constexpr std::uint8_t choice_identified = 0, choice_wrapped = 1, choice_agreed = 2;

struct ServiceTags {
    std::uint8_t plain, global, dedicated;
};
/// Source: Green Book ed. 10, 9.5, COSEMpdu. EventNotification and the short-name services too.
constexpr ServiceTags service_tags[] = {
    {0x01, 0x21, 0x41}, {0x08, 0x28, 0x48}, {0x05, 0x25, 0x45}, {0x0C, 0x2C, 0x4C},
    {0x06, 0x26, 0x46}, {0x0D, 0x2D, 0x4D}, {0x0E, 0x2E, 0x4E}, {0x16, 0x36, 0x56},
    {0x18, 0x38, 0x58}, {0xC0, 0xC8, 0xD0}, {0xC1, 0xC9, 0xD1}, {0xC2, 0xCA, 0xD2},
    {0xC3, 0xCB, 0xD3}, {0xC4, 0xCC, 0xD4}, {0xC5, 0xCD, 0xD5}, {0xC7, 0xCF, 0xD7},
};

Bytes octet_string(Reader& in, std::size_t size_max) {
    const std::size_t start = in.position();
    const std::size_t size = decode_length(in);
    if (in.ok() && size > size_max) in.fail_at(Fault::too_long, start);
    return in.bytes(size);
}

/// The last element: its length must reach the end exactly.
void expect_rest(Reader& in) {
    const std::size_t length = decode_length(in);
    if (in.ok() && length > in.remaining()) in.fail(Fault::truncated);
    if (in.ok() && length < in.remaining()) in.fail(Fault::trailing);
}

GeneralHeader decode_header(Reader& in) {
    GeneralHeader header;
    header.transaction_id = octet_string(in, header_field_size_max);
    header.originator = octet_string(in, title_size);
    header.recipient = octet_string(in, title_size);
    header.date_time = octet_string(in, header_field_size_max);
    header.other_information = octet_string(in, header_field_size_max);
    return header;
}

KeyInfo decode_key_info(Reader& in) {
    const std::size_t presence_at = in.position();
    const std::uint8_t presence = in.u8();
    if (in.ok() && presence > 1) in.fail_at(Fault::bad_value, presence_at);
    if (!in.ok() || presence == 0) return {};
    const std::size_t start = in.position();
    switch (in.u8()) {
        case choice_identified:
            return IdentifiedKey{in.u8()};
        case choice_wrapped: {
            const std::uint8_t kek_id = in.u8();
            return WrappedKey{kek_id, octet_string(in, key_info_size_max)};
        }
        case choice_agreed: {
            in.expect(1, Fault::unsupported);  // key-parameters: one octet, the scheme
            const std::uint8_t scheme = in.u8();
            return AgreedKey{scheme, octet_string(in, key_info_size_max)};
        }
        default:
            in.fail_at(Fault::bad_value, start);
            return {};
    }
}

Framing framing_of(const KeyInfo& info, Reader& in) {
    if (std::holds_alternative<WrappedKey>(info)) return Framing::wrapped_key;
    if (const auto* agreed = std::get_if<AgreedKey>(&info)) {
        if (agreed->scheme == 1) return Framing::one_pass_dh;
        if (agreed->scheme == 2) return Framing::static_dh;
        in.fail(Fault::unsupported);
    }
    return Framing::identified_key;
}

/// Everything in front of the length of the ciphered content.
void decode_front(Reader& in, Bytes bytes, CipheredApdu& apdu) {
    const std::uint8_t tag = in.u8();
    if (!in.ok()) return;
    switch (tag) {
        case tag_general_global:
        case tag_general_dedicated: {
            apdu.framing = Framing::general;
            apdu.dedicated = tag == tag_general_dedicated;
            const std::size_t start = in.position();
            apdu.title = octet_string(in, title_size);
            if (in.ok() && !apdu.title.empty() && apdu.title.size() != title_size)
                in.fail_at(Fault::bad_value, start);
            return;
        }
        case tag_general_ciphering:
            apdu.header = decode_header(in);
            apdu.header_octets = bytes.subspan(1, in.position() - 1);
            apdu.key_info = decode_key_info(in);
            apdu.framing = framing_of(apdu.key_info, in);
            return;
        default:
            apdu.plain_tag = plain_tag(tag);
            apdu.dedicated = apdu.plain_tag && dedicated_tag(*apdu.plain_tag) == tag;
            if (!apdu.plain_tag) in.fail_at(Fault::bad_tag, 0);
    }
}

}  // namespace

std::optional<std::uint8_t> global_tag(std::uint8_t plain) {
    for (const ServiceTags& tags : service_tags)
        if (tags.plain == plain) return tags.global;
    return std::nullopt;
}

std::optional<std::uint8_t> dedicated_tag(std::uint8_t plain) {
    for (const ServiceTags& tags : service_tags)
        if (tags.plain == plain) return tags.dedicated;
    return std::nullopt;
}

std::optional<std::uint8_t> plain_tag(std::uint8_t ciphered) {
    for (const ServiceTags& tags : service_tags)
        if (tags.global == ciphered || tags.dedicated == ciphered) return tags.plain;
    return std::nullopt;
}

bool is_protected(std::uint8_t tag) {
    return (tag >= tag_general_global && tag <= tag_general_ciphering) || tag == tag_general_signing ||
           plain_tag(tag).has_value();
}

Result<CipheredApdu> decode_ciphered(Bytes bytes) {
    Reader in{bytes};
    CipheredApdu apdu;
    decode_front(in, bytes, apdu);
    expect_rest(in);
    const std::size_t control_at = in.position();
    apdu.control = in.u8();
    const bool authenticated = (apdu.control & security_control::authenticated) != 0;
    const bool none = (apdu.control & security_control::authenticated_encrypted) == 0;
    if (in.ok() && ((apdu.control & security_control::compressed) != 0 || none))
        in.fail_at(Fault::unsupported, control_at);
    apdu.counter = in.u32();
    const std::size_t tail = authenticated ? tag_size : 0;
    if (in.ok() && in.remaining() < tail + 1) in.fail(Fault::truncated);
    if (in.error()) return *in.error();
    apdu.text_at = control_at + control_size;
    apdu.text_size = in.remaining() - tail;
    in.skip(apdu.text_size);
    apdu.tag = in.rest();
    return apdu;
}

Result<SignedApdu> decode_signed(Bytes bytes) {
    Reader in{bytes};
    SignedApdu apdu;
    in.expect(tag_general_signing);
    apdu.header = decode_header(in);
    if (in.ok()) apdu.header_octets = bytes.subspan(1, in.position() - 1);
    const std::size_t size = decode_length(in);
    if (in.ok() && size == 0) in.fail(Fault::truncated);
    apdu.content = in.bytes(size);
    const std::size_t signature_at = in.position();
    expect_rest(in);
    apdu.signature = in.rest();
    if (in.ok() && apdu.signature.size() != 64 && apdu.signature.size() != 96)
        in.fail_at(Fault::bad_value, signature_at);
    if (in.error()) return *in.error();
    return apdu;
}

void encode(Writer& out, const GeneralHeader& header) {
    for (const Bytes field : {header.transaction_id, header.originator, header.recipient, header.date_time,
                              header.other_information}) {
        encode_length(out, field.size());
        out.bytes(field);
    }
}

void encode(Writer& out, const KeyInfo& info) {
    if (std::holds_alternative<std::monostate>(info)) {
        out.u8(0);
    } else if (const auto* identified = std::get_if<IdentifiedKey>(&info)) {
        out.u8(1).u8(choice_identified).u8(identified->key_id);
    } else if (const auto* wrapped = std::get_if<WrappedKey>(&info)) {
        out.u8(1).u8(choice_wrapped).u8(wrapped->kek_id);
        encode_length(out, wrapped->wrapped.size());
        out.bytes(wrapped->wrapped);
    } else {
        const auto& agreed = std::get<AgreedKey>(info);
        out.u8(1).u8(choice_agreed).u8(1).u8(agreed.scheme);
        encode_length(out, agreed.ciphered_data.size());
        out.bytes(agreed.ciphered_data);
    }
}

}  // namespace wattmesh::dlms
