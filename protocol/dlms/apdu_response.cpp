#include "protocol/dlms/apdu.h"
#include "protocol/dlms/apdu_parts.h"

namespace wattmesh::dlms {

namespace {

using namespace parts;

constexpr std::uint8_t tag_get = 0xC4, tag_set = 0xC5, tag_action = 0xC7;
constexpr std::uint8_t get_normal = 1, get_block = 2, get_list = 3;
constexpr std::uint8_t set_normal = 1, set_block = 2, set_last_block = 3, set_last_block_list = 4,
                       set_list = 5;
constexpr std::uint8_t action_normal = 1, action_block = 2, action_list = 3, action_next = 4;
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

ActionResult action_result(Reader& in) {
    ActionResult action{.result = access_result(in), .value = {}};
    if (presence(in)) action.value = get_data_result(in);
    return action;
}
void put(Writer& out, const ActionResult& outcome) {
    out.u8(octet(outcome.result)).u8(outcome.value ? 1 : 0);
    if (outcome.value) put(out, *outcome.value);
}

template <class T>
void put_all(Writer& out, const std::vector<T>& elements) {
    encode_length(out, elements.size());
    for (const T& element : elements) {
        if constexpr (std::is_same_v<T, AccessResult>)
            out.u8(octet(element));
        else
            put(out, element);
    }
}

Response get_response(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == get_normal) return GetResponse{invoke, get_data_result(in)};
    if (choice == get_list) return GetListResponse{invoke, sequence<ReadOutcome>(in, 2, get_data_result)};
    GetBlockResponse block{.invoke = invoke, .last = in.u8() != 0, .block = in.u32(), .content = {}};
    if (choice_of_result(in) == result_data)
        block.content = to_buffer(in.bytes(decode_length(in)));
    else
        block.content = access_result(in);
    return block;
}

Response set_response(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == set_normal) return SetResponse{invoke, access_result(in)};
    if (choice == set_list) return SetListResponse{invoke, sequence<AccessResult>(in, 1, access_result)};
    SetBlockResponse block{.invoke = invoke, .results = {}, .list = choice == set_last_block_list};
    if (choice == set_last_block) block.results = {access_result(in)};
    if (choice == set_last_block_list) block.results = sequence<AccessResult>(in, 1, access_result);
    block.block = in.u32();
    return block;
}

Response action_response(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == action_normal) return ActionResponse{invoke, action_result(in)};
    if (choice == action_list)
        return ActionListResponse{invoke, sequence<ActionResult>(in, 2, action_result)};
    if (choice == action_next) return ActionNextResponse{invoke, in.u32()};
    ActionBlockResponse block{.invoke = invoke, .last = in.u8() != 0, .block = in.u32(), .octets = {}};
    block.octets = to_buffer(in.bytes(decode_length(in)));
    return block;
}

Response response_of(Reader& in) {
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag != tag_get && tag != tag_set && tag != tag_action) in.fail_at(Fault::bad_tag, 0);
    const std::uint8_t choice = in.u8();
    const std::uint8_t last = tag == tag_get ? get_list : tag == tag_set ? set_list : action_next;
    if (in.ok() && (choice == 0 || choice > last)) in.fail_at(Fault::bad_tag, 1);
    if (tag == tag_set) return set_response(in, choice);
    if (tag == tag_action) return action_response(in, choice);
    return get_response(in, choice);
}

template <class T, class Decode>
Result<std::vector<T>> whole_sequence(Bytes octets, std::size_t octets_min, Decode decode) {
    Reader in{octets};
    auto elements = sequence<T>(in, octets_min, decode);
    in.expect_end();
    if (in.error()) return *in.error();
    return elements;
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

Buffer encode(const GetListResponse& response) {
    Writer out;
    out.u8(tag_get).u8(get_list).u8(response.invoke);
    put_all(out, response.outcomes);
    return out.take();
}

std::size_t block_response_size(std::size_t raw) {
    Writer length;
    encode_length(length, raw);
    return 9 + length.size() + raw;  // C4 02, invoke, last, block number (4), choice
}

Buffer encode(const SetResponse& response) {
    Writer out;
    out.u8(tag_set).u8(set_normal).u8(response.invoke).u8(octet(response.result));
    return out.take();
}

Buffer encode(const SetListResponse& response) {
    Writer out;
    out.u8(tag_set).u8(set_list).u8(response.invoke);
    put_all(out, response.results);
    return out.take();
}

Buffer encode(const SetBlockResponse& response) {
    Writer out;
    const std::uint8_t choice = response.list              ? set_last_block_list
                                : response.results.empty() ? set_block
                                                           : set_last_block;
    out.u8(tag_set).u8(choice).u8(response.invoke);
    if (response.list) encode_length(out, response.results.size());
    for (const AccessResult result : response.results) out.u8(octet(result));
    out.u32(response.block);
    return out.take();
}

Buffer encode(const ActionResponse& response) {
    Writer out;
    out.u8(tag_action).u8(action_normal).u8(response.invoke);
    put(out, response.outcome);
    return out.take();
}

Buffer encode(const ActionListResponse& response) {
    Writer out;
    out.u8(tag_action).u8(action_list).u8(response.invoke);
    put_all(out, response.outcomes);
    return out.take();
}

Buffer encode(const ActionBlockResponse& response) {
    Writer out;
    out.u8(tag_action).u8(action_block).u8(response.invoke).u8(response.last ? 1 : 0).u32(response.block);
    encode_length(out, response.octets.size());
    out.bytes(response.octets);
    return out.take();
}

Buffer encode(const ActionNextResponse& response) {
    Writer out;
    out.u8(tag_action).u8(action_next).u8(response.invoke).u32(response.block);
    return out.take();
}

Buffer encode_results(const std::vector<ReadOutcome>& outcomes) {
    Writer out;
    put_all(out, outcomes);
    return out.take();
}

Result<std::vector<ReadOutcome>> decode_results(Bytes octets) {
    return whole_sequence<ReadOutcome>(octets, 2, get_data_result);
}

Buffer encode_action_results(const std::vector<ActionResult>& outcomes, bool list) {
    Writer out;
    if (list) encode_length(out, outcomes.size());
    for (const auto& outcome : outcomes) put(out, outcome);
    return out.take();
}

Result<std::vector<ActionResult>> decode_action_results(Bytes octets, bool list) {
    if (list) return whole_sequence<ActionResult>(octets, 2, action_result);
    Reader in{octets};
    std::vector<ActionResult> one{action_result(in)};
    in.expect_end();
    if (in.error()) return *in.error();
    return one;
}

}  // namespace wattmesh::dlms
