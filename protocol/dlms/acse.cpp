#include "protocol/dlms/acse.h"

#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_aarq = 0x60, tag_aare = 0x61, tag_rlrq = 0x62, tag_rlre = 0x63;
constexpr std::uint8_t tag_context = 0xA1, tag_result = 0xA2, tag_diagnostic = 0xA3,
                       tag_responding_title = 0xA4;
constexpr std::uint8_t tag_calling_title = 0xA6, tag_calling_requirements = 0x8A,
                       tag_calling_mechanism = 0x8B;
constexpr std::uint8_t tag_calling_authentication = 0xAC, tag_responding_requirements = 0x88;
constexpr std::uint8_t tag_responding_mechanism = 0x89, tag_responding_authentication = 0xAA;
constexpr std::uint8_t tag_user_information = 0xBE, tag_reason = 0x80;
constexpr std::uint8_t ber_integer = 0x02, ber_octet_string = 0x04, ber_object_identifier = 0x06;

// 2.16.756.5.8: joint-iso-ccitt, country Switzerland, DLMS UA.
constexpr std::uint8_t context_name_root[] = {0x60, 0x85, 0x74, 0x05, 0x08, 0x01};
constexpr std::uint8_t mechanism_name_root[] = {0x60, 0x85, 0x74, 0x05, 0x08, 0x02};

void put(Writer& out, std::uint8_t tag, Bytes content) {
    out.u8(tag);
    encode_length(out, content.size());  // BER's definite form looks like A-XDR's
    out.bytes(content);
}
void put_nested(Writer& out, std::uint8_t outer, std::uint8_t inner, Bytes content) {
    Writer nested;
    put(nested, inner, content);
    put(out, outer, nested.view());
}
Buffer name(Bytes root, std::uint8_t last) {
    Buffer octets = to_buffer(root);
    octets.push_back(last);
    return octets;
}

/// The content of one element; the reader knows its place in the whole message.
struct Element {
    std::uint8_t tag = 0;
    Reader content;
};
Element element(Reader& in) {
    const std::uint8_t tag = in.u8();
    const std::size_t length = decode_length(in);
    const std::size_t offset = in.offset();
    return {tag, Reader{in.bytes(length), offset}};
}
Reader nested(Reader& in, std::uint8_t tag) {
    const std::size_t start = in.position();
    Element inner = element(in);
    if (in.ok() && inner.tag != tag) in.fail_at(Fault::bad_tag, start);
    in.expect_end();
    return inner.content;
}

std::uint8_t decode_name(Reader in, Bytes root, std::optional<Error>& error) {
    const std::size_t start = in.position();
    const Bytes prefix = in.bytes(root.size());
    if (in.ok() && !std::ranges::equal(prefix, root)) in.fail_at(Fault::bad_value, start);
    const std::uint8_t last = in.u8();
    in.expect_end();
    if (!error) error = in.error();
    return last;
}

/// Takes the fault of a nested reader over.
template <class Take>
void inside(Reader& content, std::uint8_t tag, std::optional<Error>& error, Take take) {
    Reader inner = nested(content, tag);
    if (content.ok()) take(inner);
    if (!error) error = content.error() ? content.error() : inner.error();
}

/// Eight octets; none counts as a title that is not there.
std::optional<SystemTitle> title(Reader& in) {
    if (in.ok() && in.remaining() == 0) return std::nullopt;
    const SystemTitle value{in.array<8>()};
    in.expect_end();
    return value;
}

/// Walks the elements of `bytes`, an APDU of `tag`, until the end or the first fault `field` leaves.
template <class Field>
std::optional<Error> walk(Bytes bytes, std::uint8_t tag, Field field) {
    Reader in{bytes};
    in.expect(tag);
    const std::size_t length = decode_length(in);
    if (in.ok() && length > in.remaining()) in.fail(Fault::truncated);
    if (in.ok() && length < in.remaining()) in.fail(Fault::trailing);
    std::optional<Error> error;
    while (in.remaining() > 0 && !error) {
        Element next = element(in);
        if (in.ok()) field(next.tag, next.content, error);
    }
    return in.error() ? in.error() : error;
}

// authentication-value ::= CHOICE { charstring [0] GraphicString, ... }; nobody uses the other forms.
constexpr std::uint8_t tag_charstring = 0x80;

}  // namespace

Buffer encode(const Aarq& aarq) {
    Writer body;
    put_nested(body, tag_context, ber_object_identifier,
               name(context_name_root, static_cast<std::uint8_t>(aarq.context)));
    if (aarq.calling_title) put_nested(body, tag_calling_title, ber_octet_string, aarq.calling_title->octets);
    if (aarq.mechanism) {
        body.u8(tag_calling_requirements).u8(2).u8(7).u8(0x80);  // authentication functional unit
        put(body, tag_calling_mechanism,
            name(mechanism_name_root, static_cast<std::uint8_t>(*aarq.mechanism)));
    }
    if (aarq.authentication)
        put_nested(body, tag_calling_authentication, tag_charstring, *aarq.authentication);
    put_nested(body, tag_user_information, ber_octet_string, aarq.user_information);
    Writer out;
    put(out, tag_aarq, body.view());
    return out.take();
}

Result<Aarq> decode_aarq(Bytes bytes) {
    Aarq aarq;
    bool context_seen = false;
    const auto field = [&](std::uint8_t tag, Reader& content, std::optional<Error>& error) {
        const auto octets = [](std::optional<Buffer>& out) {
            return [&out](Reader& in) { out = to_buffer(in.rest()); };
        };
        switch (tag) {
            case tag_context:
                context_seen = true;
                inside(content, ber_object_identifier, error, [&](Reader& in) {
                    aarq.context = static_cast<ContextName>(decode_name(in, context_name_root, error));
                });
                break;
            case tag_calling_title:
                inside(content, ber_octet_string, error, [&](Reader& in) { aarq.calling_title = title(in); });
                break;
            case tag_calling_mechanism:
                aarq.mechanism = static_cast<Mechanism>(decode_name(content, mechanism_name_root, error));
                break;
            case tag_calling_authentication:
                inside(content, tag_charstring, error, octets(aarq.authentication));
                break;
            case tag_user_information:
                inside(content, ber_octet_string, error,
                       [&](Reader& in) { aarq.user_information = to_buffer(in.rest()); });
                break;
            default:
                break;
        }
    };
    if (const auto error = walk(bytes, tag_aarq, field)) return *error;
    if (!context_seen) return Error{Fault::bad_value, bytes.size()};
    return aarq;
}

Buffer encode(const Aare& aare) {
    Writer body;
    put_nested(body, tag_context, ber_object_identifier,
               name(context_name_root, static_cast<std::uint8_t>(aare.context)));
    put_nested(body, tag_result, ber_integer, Bytes{&aare.result, 1});
    Writer diagnostic;
    put_nested(diagnostic, aare.diagnostic_of_provider ? 0xA2 : 0xA1, ber_integer,
               Bytes{&aare.diagnostic, 1});
    put(body, tag_diagnostic, diagnostic.view());
    if (aare.responding_title)
        put_nested(body, tag_responding_title, ber_octet_string, aare.responding_title->octets);
    if (aare.mechanism) {
        body.u8(tag_responding_requirements).u8(2).u8(7).u8(0x80);
        put(body, tag_responding_mechanism,
            name(mechanism_name_root, static_cast<std::uint8_t>(*aare.mechanism)));
    }
    if (aare.authentication)
        put_nested(body, tag_responding_authentication, tag_charstring, *aare.authentication);
    if (!aare.user_information.empty())
        put_nested(body, tag_user_information, ber_octet_string, aare.user_information);
    Writer out;
    put(out, tag_aare, body.view());
    return out.take();
}

Result<Aare> decode_aare(Bytes bytes) {
    Aare aare;
    bool result_seen = false;
    const auto field = [&](std::uint8_t tag, Reader& content, std::optional<Error>& error) {
        const auto integer = [&error](Reader& in, std::uint8_t& out) {
            out = in.u8();
            in.expect_end();
            if (!error) error = in.error();
        };
        switch (tag) {
            case tag_context:
                inside(content, ber_object_identifier, error, [&](Reader& in) {
                    aare.context = static_cast<ContextName>(decode_name(in, context_name_root, error));
                });
                break;
            case tag_result:
                result_seen = true;
                inside(content, ber_integer, error, [&](Reader& in) { integer(in, aare.result); });
                break;
            case tag_diagnostic:
                aare.diagnostic_of_provider = content.peek() == 0xA2;
                inside(content, aare.diagnostic_of_provider ? 0xA2 : 0xA1, error, [&](Reader& in) {
                    inside(in, ber_integer, error, [&](Reader& value) { integer(value, aare.diagnostic); });
                });
                break;
            case tag_responding_title:
                inside(content, ber_octet_string, error,
                       [&](Reader& in) { aare.responding_title = title(in); });
                break;
            case tag_responding_mechanism:
                aare.mechanism = static_cast<Mechanism>(decode_name(content, mechanism_name_root, error));
                break;
            case tag_responding_authentication:
                inside(content, tag_charstring, error,
                       [&](Reader& in) { aare.authentication = to_buffer(in.rest()); });
                break;
            case tag_user_information:
                inside(content, ber_octet_string, error,
                       [&](Reader& in) { aare.user_information = to_buffer(in.rest()); });
                break;
            default:
                break;
        }
    };
    if (const auto error = walk(bytes, tag_aare, field)) return *error;
    if (!result_seen) return Error{Fault::bad_value, bytes.size()};
    return aare;
}

Buffer encode(const Release& release) {
    Writer body;
    if (release.reason) put(body, tag_reason, Bytes{&*release.reason, 1});
    Writer out;
    put(out, release.response ? tag_rlre : tag_rlrq, body.view());
    return out.take();
}

Result<Release> decode_release(Bytes bytes, bool tolerant) {
    Release release;
    release.response = !bytes.empty() && bytes[0] == tag_rlre;
    const bool recognised = release.response || (!bytes.empty() && bytes[0] == tag_rlrq);
    const auto field = [&](std::uint8_t tag, Reader& content, std::optional<Error>& error) {
        if (tag != tag_reason) return;
        release.reason = content.u8();
        content.expect_end();
        error = content.error();
    };
    const auto error = walk(bytes, release.response ? tag_rlre : tag_rlrq, field);
    if (error && !(tolerant && recognised)) return *error;
    return release;
}

}  // namespace wattmesh::dlms
