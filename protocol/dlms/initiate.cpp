#include "protocol/dlms/initiate.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_initiate_request = 0x01, tag_initiate_response = 0x08, tag_service_error = 0x0E;
constexpr std::size_t dedicated_key_size_max = 32;

// [APPLICATION 31] IMPLICIT BIT STRING (SIZE(24)), the one BER field in an A-XDR message.
void encode_conformance(Writer& out, std::uint32_t bits) {
    out.u16(0x5F1F).u8(4).u8(0).u24(bits & 0xFF'FFFF);
}

std::uint32_t decode_conformance(Reader& in) {
    in.expect(0x5F);
    if (in.peek() == 0x1F) in.skip(1);  // some clients leave the second octet of the tag out
    in.expect(4, Fault::bad_value).expect(0, Fault::bad_value);
    return in.u24();
}

void encode_optional(Writer& out, const std::optional<std::uint8_t>& value) {
    if (value)
        out.u8(1).u8(*value);
    else
        out.u8(0);
}

bool decode_presence(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t presence = in.u8();
    if (presence > 1) in.fail_at(Fault::bad_value, start);
    return in.ok() && presence == 1;
}

std::optional<std::uint8_t> decode_optional(Reader& in) {
    if (!decode_presence(in)) return std::nullopt;
    return in.u8();
}

}  // namespace

Buffer encode(const InitiateRequest& request) {
    Writer out;
    out.u8(tag_initiate_request);
    if (request.dedicated_key) {
        out.u8(1);
        encode_length(out, request.dedicated_key->size());
        out.bytes(*request.dedicated_key);
    } else {
        out.u8(0);
    }
    if (request.response_allowed)
        out.u8(0);  // BOOLEAN DEFAULT TRUE
    else
        out.u8(1).u8(0);
    encode_optional(out, request.quality_of_service);
    out.u8(request.version);
    encode_conformance(out, request.conformance);
    out.u16(request.pdu_size_max);
    return out.take();
}

Result<InitiateRequest> decode_initiate_request(Bytes bytes) {
    Reader in{bytes};
    InitiateRequest request;
    in.expect(tag_initiate_request);
    if (decode_presence(in)) {
        const std::size_t size = decode_length(in);
        if (size > dedicated_key_size_max) in.fail(Fault::too_long);
        request.dedicated_key = to_buffer(in.bytes(size));
    }
    if (decode_presence(in)) request.response_allowed = in.u8() != 0;
    request.quality_of_service = decode_optional(in);
    request.version = in.u8();
    request.conformance = decode_conformance(in);
    request.pdu_size_max = in.u16();
    in.expect_end();
    if (in.error()) return *in.error();
    return request;
}

Buffer encode(const InitiateResponse& response) {
    Writer out;
    out.u8(tag_initiate_response);
    encode_optional(out, response.quality_of_service);
    out.u8(response.version);
    encode_conformance(out, response.conformance);
    out.u16(response.pdu_size_max).u16(response.vaa_name);
    return out.take();
}

Result<InitiateResponse> decode_initiate_response(Bytes bytes) {
    Reader in{bytes};
    InitiateResponse response;
    in.expect(tag_initiate_response);
    response.quality_of_service = decode_optional(in);
    response.version = in.u8();
    response.conformance = decode_conformance(in);
    response.pdu_size_max = in.u16();
    response.vaa_name = in.u16();
    in.expect_end();
    if (in.error()) return *in.error();
    return response;
}

Buffer encode(const ServiceError& error) {
    return {tag_service_error, error.service, error.kind, error.value};
}

Result<ServiceError> decode_service_error(Bytes bytes) {
    Reader in{bytes};
    in.expect(tag_service_error);
    const ServiceError error{.service = in.u8(), .kind = in.u8(), .value = in.u8()};
    in.expect_end();
    if (in.error()) return *in.error();
    return error;
}

}  // namespace wattmesh::dlms
