#include "protocol/dlms/short_name.h"

#include <cassert>

#include "protocol/dlms/apdu_parts.h"

namespace wattmesh::dlms {

namespace {

using namespace parts;

constexpr std::uint8_t tag_read_request = 0x05, tag_write_request = 0x06, tag_read_response = 0x0C,
                       tag_write_response = 0x0D;
constexpr std::uint8_t by_name = 2, by_block = 5;
constexpr std::uint8_t outcome_data = 0, outcome_error = 1, outcome_block = 2;

AccessResult access_result(Reader& in) { return static_cast<AccessResult>(in.u8()); }

ShortName short_name(Reader& in) {
    in.expect(by_name, Fault::unsupported);
    return {in.u16()};
}

std::variant<ShortName, ReadRequest::NextBlock> read_item(Reader& in) {
    if (in.peek() != by_block) return short_name(in);
    in.skip(1);
    return ReadRequest::NextBlock{in.u16()};
}

ReadOutcome read_outcome(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t choice = in.u8();
    if (choice == outcome_data) return decode_data(in);
    if (choice != outcome_error) in.fail_at(Fault::bad_tag, start);
    return access_result(in);
}

AccessResult write_result(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t choice = in.u8();
    if (choice == outcome_data) return AccessResult::success;
    if (choice != outcome_error) in.fail_at(Fault::bad_tag, start);
    return access_result(in);
}

void put_name(Writer& out, ShortName name) { out.u8(by_name).u16(name.value); }

template <class T>
Result<T> finished(Reader& in, T value) {
    in.expect_end();
    if (in.error()) return *in.error();
    return value;
}

}  // namespace

Buffer encode(const ReadRequest& request) {
    Writer out;
    out.u8(tag_read_request);
    encode_length(out, request.items.size());
    for (const auto& item : request.items) {
        if (const auto* name = std::get_if<ShortName>(&item))
            put_name(out, *name);
        else
            out.u8(by_block).u16(std::get<ReadRequest::NextBlock>(item).block);
    }
    return out.take();
}

Result<ReadRequest> decode_read_request(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_read_request);
    return finished(in,
                    ReadRequest{sequence<std::variant<ShortName, ReadRequest::NextBlock>>(in, 3, read_item)});
}

Buffer encode(const ReadResponse& response) {
    Writer out;
    out.u8(tag_read_response);
    if (const auto* block = std::get_if<ReadResponse::Block>(&response.content)) {
        out.u8(1).u8(outcome_block).u8(block->last ? 1 : 0).u16(block->block);
        encode_length(out, block->octets.size());
        out.bytes(block->octets);
        return out.take();
    }
    const auto& outcomes = std::get<std::vector<ReadOutcome>>(response.content);
    encode_length(out, outcomes.size());
    for (const auto& outcome : outcomes) {
        if (const auto* data = std::get_if<Data>(&outcome)) {
            out.u8(outcome_data);
            encode_data(out, *data);
        } else {
            out.u8(outcome_error).u8(static_cast<std::uint8_t>(std::get<AccessResult>(outcome)));
        }
    }
    return out.take();
}

Result<ReadResponse> decode_read_response(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_read_response);
    const bool one_block = apdu.size() > 2 && apdu[1] == 1 && apdu[2] == outcome_block;
    if (!one_block) return finished(in, ReadResponse{sequence<ReadOutcome>(in, 2, read_outcome)});
    in.skip(2);
    ReadResponse::Block block{.last = in.u8() != 0, .block = in.u16(), .octets = {}};
    block.octets = to_buffer(in.bytes(decode_length(in)));
    return finished(in, ReadResponse{std::move(block)});
}

Result<std::vector<ReadOutcome>> decode_read_outcomes(Bytes octets) {
    Reader in{octets};
    return finished(in, sequence<ReadOutcome>(in, 2, read_outcome));
}

Buffer encode(const WriteRequest& request) {
    assert(request.names.size() == request.values.size());
    Writer out;
    out.u8(tag_write_request);
    encode_length(out, request.names.size());
    for (const ShortName name : request.names) put_name(out, name);
    encode_length(out, request.values.size());
    for (const Data& value : request.values) encode_data(out, value);
    return out.take();
}

Result<WriteRequest> decode_write_request(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_write_request);
    WriteRequest request{sequence<ShortName>(in, 3, short_name), {}};
    const std::size_t start = in.position();
    request.values = sequence<Data>(in, 1, [](Reader& at) { return decode_data(at); });
    if (in.ok() && request.values.size() != request.names.size()) in.fail_at(Fault::bad_value, start);
    return finished(in, std::move(request));
}

Buffer encode(const WriteResponse& response) {
    Writer out;
    out.u8(tag_write_response);
    encode_length(out, response.results.size());
    for (const AccessResult result : response.results) {
        if (result == AccessResult::success)
            out.u8(outcome_data);
        else
            out.u8(outcome_error).u8(static_cast<std::uint8_t>(result));
    }
    return out.take();
}

Result<WriteResponse> decode_write_response(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_write_response);
    return finished(in, WriteResponse{sequence<AccessResult>(in, 1, write_result)});
}

}  // namespace wattmesh::dlms
