#include "protocol/dlms/apdu.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_get = 0xC4, tag_set = 0xC5, tag_action = 0xC7;
constexpr std::uint8_t get_normal = 1, get_block = 2;
constexpr std::uint8_t set_normal = 1, set_block = 2, set_last_block = 3;
constexpr std::uint8_t action_normal = 1;
constexpr std::uint8_t result_data = 0, result_access = 1;

AccessResult access_result(Reader& in) { return static_cast<AccessResult>(in.u8()); }
std::uint8_t octet(AccessResult result) { return static_cast<std::uint8_t>(result); }

std::uint8_t choice_of_result(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t choice = in.u8();
    if (choice > result_access) in.fail_at(Fault::bad_tag, start);
    return choice;
}

ReadOutcome get_data_result(Reader& in) {
    if (choice_of_result(in) == result_data) return decode_data(in);
    return access_result(in);
}
void put(Writer& out, const ReadOutcome& outcome) {
    if (const auto* data = std::get_if<Data>(&outcome)) {
        out.u8(result_data);
        encode_data(out, *data);
    } else {
        out.u8(result_access).u8(octet(std::get<AccessResult>(outcome)));
    }
}

Response get_response(Reader& in, std::uint8_t choice) {
    if (choice == get_normal) return GetResponse{.invoke = in.u8(), .outcome = get_data_result(in)};
    if (choice == get_block) {
        GetBlockResponse block{.invoke = in.u8(), .last = in.u8() != 0, .block = in.u32(), .content = {}};
        if (choice_of_result(in) == result_data)
            block.content = to_buffer(in.bytes(decode_length(in)));
        else
            block.content = access_result(in);
        return block;
    }
    in.fail_at(Fault::unsupported, 1);
    return GetResponse{};
}

Response set_response(Reader& in, std::uint8_t choice) {
    if (choice == set_normal) return SetResponse{.invoke = in.u8(), .result = access_result(in)};
    if (choice == set_block) return SetBlockResponse{.invoke = in.u8(), .result = {}, .block = in.u32()};
    if (choice == set_last_block)
        return SetBlockResponse{.invoke = in.u8(), .result = access_result(in), .block = in.u32()};
    in.fail_at(Fault::unsupported, 1);
    return SetResponse{};
}

Response action_response(Reader& in, std::uint8_t choice) {
    if (choice != action_normal) in.fail_at(Fault::unsupported, 1);
    ActionResponse action{.invoke = in.u8(), .result = access_result(in), .value = {}};
    const std::size_t start = in.position();
    const std::uint8_t presence = in.u8();
    if (presence > 1) in.fail_at(Fault::bad_value, start);
    if (presence == 1) action.value = get_data_result(in);
    return action;
}

Response response_of(Reader& in) {
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag != tag_get && tag != tag_set && tag != tag_action) in.fail_at(Fault::bad_tag, 0);
    const std::uint8_t choice = in.u8();
    if (tag == tag_set) return set_response(in, choice);
    if (tag == tag_action) return action_response(in, choice);
    return get_response(in, choice);
}

}  // namespace

Result<Response> decode_response(Bytes apdu) {
    Reader in{apdu};
    Response response = response_of(in);
    in.expect_end();
    if (in.error()) return *in.error();
    return response;
}

Buffer encode(const GetResponse& response) {
    Writer out;
    out.u8(tag_get).u8(get_normal).u8(response.invoke);
    put(out, response.outcome);
    return out.take();
}

Buffer encode(const GetBlockResponse& response) {
    Writer out;
    out.u8(tag_get).u8(get_block).u8(response.invoke).u8(response.last ? 1 : 0).u32(response.block);
    if (const auto* raw = std::get_if<Buffer>(&response.content)) {
        out.u8(result_data);
        encode_length(out, raw->size());
        out.bytes(*raw);
    } else {
        out.u8(result_access).u8(octet(std::get<AccessResult>(response.content)));
    }
    return out.take();
}

std::size_t get_block_size(std::size_t raw) {
    Writer length;
    encode_length(length, raw);
    return 9 + length.size() + raw;  // C4 02, invoke, last, block number (4), choice
}

Buffer encode(const SetResponse& response) {
    Writer out;
    out.u8(tag_set).u8(set_normal).u8(response.invoke).u8(octet(response.result));
    return out.take();
}

Buffer encode(const SetBlockResponse& response) {
    Writer out;
    out.u8(tag_set).u8(response.result ? set_last_block : set_block).u8(response.invoke);
    if (response.result) out.u8(octet(*response.result));
    out.u32(response.block);
    return out.take();
}

Buffer encode(const ActionResponse& response) {
    Writer out;
    out.u8(tag_action).u8(action_normal).u8(response.invoke).u8(octet(response.result));
    out.u8(response.value ? 1 : 0);
    if (response.value) put(out, *response.value);
    return out.take();
}

}  // namespace wattmesh::dlms
