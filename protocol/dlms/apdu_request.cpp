#include "protocol/dlms/apdu.h"
#include "protocol/dlms/selection.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_get = 0xC0, tag_set = 0xC1, tag_action = 0xC3;
constexpr std::uint8_t get_normal = 1, get_next = 2, get_list = 3;
constexpr std::uint8_t set_normal = 1, set_first_block = 2, set_block = 3, set_list = 4, set_list_block = 5;
constexpr std::uint8_t action_normal = 1, action_choice_last = 6;

AttributeId attribute_id(Reader& in) {
    return {.class_id = in.u16(), .object = {in.array<6>()}, .attribute = in.i8()};
}
void put(Writer& out, const AttributeId& id) {
    out.u16(id.class_id).bytes(id.object.groups).i8(id.attribute);
}

bool presence(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t octet = in.u8();
    if (octet > 1) in.fail_at(Fault::bad_value, start);
    return in.ok() && octet == 1;
}

Request get_request(Reader& in) {
    GetRequest get{.invoke = in.u8(), .id = attribute_id(in), .selection = {}};
    if (presence(in)) {
        const std::uint8_t selector = in.u8();
        auto selection = selection_from(selector, decode_data(in));
        get.selection_valid = selection.has_value();
        if (selection) get.selection = std::move(*selection);
    }
    return get;
}

// Selective SET belongs to no class of ours: the parameters are decoded to find the value behind them.
bool skip_selection(Reader& in) {
    if (!presence(in)) return false;
    in.skip(1);
    decode_data(in);
    return true;
}

Request set_request(Reader& in) {
    SetRequest set{.invoke = in.u8(), .id = attribute_id(in), .value = {}};
    set.selective = skip_selection(in);
    set.value = decode_data(in);
    return set;
}

Request set_block_request(Reader& in, bool first) {
    SetBlockRequest set{.invoke = in.u8(), .id = {}, .octets = {}};
    if (first) {
        set.id = attribute_id(in);
        set.selective = skip_selection(in);
    }
    set.last = in.u8() != 0;
    set.block = in.u32();
    set.octets = to_buffer(in.bytes(decode_length(in)));
    return set;
}

Request action_request(Reader& in) {
    ActionRequest action{.invoke = in.u8(), .id = {}, .argument = {}};
    const AttributeId id = attribute_id(in);
    action.id = {id.class_id, id.object, id.attribute};
    if (presence(in)) action.argument = decode_data(in);
    return action;
}

// The rest is not looked at: the answer is the same whatever it holds.
Request unsupported(Reader& in, std::uint8_t tag, std::uint8_t choice) {
    const UnsupportedRequest request{tag, choice, in.u8()};
    in.rest();
    return request;
}

Request request_of(Reader& in) {
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag != tag_get && tag != tag_set && tag != tag_action) in.fail_at(Fault::bad_tag, 0);
    const std::uint8_t choice = in.u8();
    if (tag == tag_get) {
        if (choice == get_normal) return get_request(in);
        if (choice == get_next) return GetNextRequest{.invoke = in.u8(), .block = in.u32()};
        if (choice == get_list) return unsupported(in, tag, choice);
    } else if (tag == tag_set) {
        if (choice == set_normal) return set_request(in);
        if (choice == set_first_block || choice == set_block)
            return set_block_request(in, choice == set_first_block);
        if (choice == set_list || choice == set_list_block) return unsupported(in, tag, choice);
    } else if (tag == tag_action) {
        if (choice == action_normal) return action_request(in);
        if (choice > action_normal && choice <= action_choice_last) return unsupported(in, tag, choice);
    }
    in.fail_at(Fault::bad_tag, 1);
    return UnsupportedRequest{};
}

}  // namespace

Result<Request> decode_request(Bytes apdu) {
    Reader in{apdu};
    Request request = request_of(in);
    in.expect_end();
    if (in.error()) return *in.error();
    return request;
}

Buffer encode(const GetRequest& request) {
    Writer out;
    out.u8(tag_get).u8(get_normal).u8(request.invoke);
    put(out, request.id);
    encode_selection(out, request.selection);
    return out.take();
}

Buffer encode(const GetNextRequest& request) {
    Writer out;
    out.u8(tag_get).u8(get_next).u8(request.invoke).u32(request.block);
    return out.take();
}

Buffer encode(const SetRequest& request) {
    Writer out;
    out.u8(tag_set).u8(set_normal).u8(request.invoke);
    put(out, request.id);
    out.u8(0);
    encode_data(out, request.value);
    return out.take();
}

Buffer encode(const SetBlockRequest& request) {
    Writer out;
    out.u8(tag_set).u8(request.id ? set_first_block : set_block).u8(request.invoke);
    if (request.id) {
        put(out, *request.id);
        out.u8(0);
    }
    out.u8(request.last ? 1 : 0).u32(request.block);
    encode_length(out, request.octets.size());
    out.bytes(request.octets);
    return out.take();
}

Buffer encode(const ActionRequest& request) {
    Writer out;
    out.u8(tag_action).u8(action_normal).u8(request.invoke);
    put(out, {request.id.class_id, request.id.object, request.id.method});
    out.u8(request.argument ? 1 : 0);
    if (request.argument) encode_data(out, *request.argument);
    return out.take();
}

}  // namespace wattmesh::dlms
