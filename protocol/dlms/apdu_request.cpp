#include <cassert>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/apdu_parts.h"
#include "protocol/dlms/selection.h"

namespace wattmesh::dlms {

namespace {

using namespace parts;

constexpr std::uint8_t tag_get = 0xC0, tag_set = 0xC1, tag_action = 0xC3;
constexpr std::uint8_t get_normal = 1, get_next = 2, get_list = 3;
constexpr std::uint8_t set_normal = 1, set_first_block = 2, set_block = 3, set_list = 4, set_list_block = 5;
constexpr std::uint8_t action_normal = 1, action_next = 2, action_list = 3, action_first_block = 4,
                       action_list_block = 5, action_block = 6;

GetListRequest::Item get_item(Reader& in) {
    GetListRequest::Item item{.id = attribute_id(in), .selection = {}};
    if (presence(in)) {
        const std::uint8_t selector = in.u8();
        auto selection = selection_from(selector, decode_data(in));
        item.selection_valid = selection.has_value();
        if (selection) item.selection = std::move(*selection);
    }
    return item;
}

// Selective SET belongs to no class of ours: the parameters are decoded to find the value behind them.
SetTarget set_target(Reader& in) {
    SetTarget target{.id = attribute_id(in)};
    if (!presence(in)) return target;
    target.selective = true;
    in.skip(1);
    decode_data(in);
    return target;
}

/// As many values as names came before.
std::vector<Data> values_for(Reader& in, std::size_t names) {
    const std::size_t start = in.position();
    auto values = sequence<Data>(in, 1, [](Reader& at) { return decode_data(at); });
    if (in.ok() && values.size() != names) in.fail_at(Fault::bad_value, start);
    return values;
}

template <class Block>
void block_content(Reader& in, Block& block) {
    block.last = in.u8() != 0;
    block.block = in.u32();
    block.octets = to_buffer(in.bytes(decode_length(in)));
}

Request get_request(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == get_next) return GetNextRequest{invoke, in.u32()};
    if (choice == get_list) return GetListRequest{invoke, sequence<GetListRequest::Item>(in, 10, get_item)};
    auto item = get_item(in);
    return GetRequest{invoke, item.id, std::move(item.selection), item.selection_valid};
}

Request set_request(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == set_normal) {
        const SetTarget target = set_target(in);
        return SetRequest{invoke, target, decode_data(in)};
    }
    if (choice == set_list) {
        SetListRequest list{invoke, sequence<SetTarget>(in, 10, set_target), {}};
        list.values = values_for(in, list.targets.size());
        return list;
    }
    SetBlockRequest block{.invoke = invoke, .list = choice == set_list_block};
    if (choice == set_first_block) block.targets = {set_target(in)};
    if (choice == set_list_block) block.targets = sequence<SetTarget>(in, 10, set_target);
    block_content(in, block);
    return block;
}

Request action_request(Reader& in, std::uint8_t choice) {
    const std::uint8_t invoke = in.u8();
    if (choice == action_normal) {
        ActionRequest action{.invoke = invoke, .id = method_id(in), .argument = {}};
        if (presence(in)) action.argument = decode_data(in);
        return action;
    }
    if (choice == action_next) return ActionNextRequest{invoke, in.u32()};
    if (choice == action_list) {
        ActionListRequest list{invoke, sequence<MethodId>(in, 9, method_id), {}};
        list.arguments = values_for(in, list.ids.size());
        return list;
    }
    ActionBlockRequest block{.invoke = invoke, .list = choice == action_list_block};
    if (choice == action_first_block) block.ids = {method_id(in)};
    if (choice == action_list_block) block.ids = sequence<MethodId>(in, 9, method_id);
    block_content(in, block);
    return block;
}

Request request_of(Reader& in) {
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag != tag_get && tag != tag_set && tag != tag_action) in.fail_at(Fault::bad_tag, 0);
    const std::uint8_t choice = in.u8();
    const std::uint8_t last = tag == tag_get ? get_list : tag == tag_set ? set_list_block : action_block;
    if (in.ok() && (choice == 0 || choice > last)) in.fail_at(Fault::bad_tag, 1);
    if (tag == tag_get) return get_request(in, choice);
    if (tag == tag_set) return set_request(in, choice);
    return action_request(in, choice);
}

void put_values(Writer& out, const std::vector<Data>& values) {
    encode_length(out, values.size());
    for (const Data& value : values) encode_data(out, value);
}

template <class Block>
void put_block(Writer& out, const Block& block) {
    out.u8(block.last ? 1 : 0).u32(block.block);
    encode_length(out, block.octets.size());
    out.bytes(block.octets);
}

void put_target(Writer& out, const SetTarget& target) {
    put(out, target.id);
    out.u8(0);
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

Buffer encode(const GetListRequest& request) {
    Writer out;
    out.u8(tag_get).u8(get_list).u8(request.invoke);
    encode_length(out, request.items.size());
    for (const auto& item : request.items) {
        put(out, item.id);
        encode_selection(out, item.selection);
    }
    return out.take();
}

Buffer encode(const SetRequest& request) {
    Writer out;
    out.u8(tag_set).u8(set_normal).u8(request.invoke);
    put_target(out, request.target);
    encode_data(out, request.value);
    return out.take();
}

Buffer encode(const SetListRequest& request) {
    assert(request.targets.size() == request.values.size());
    Writer out;
    out.u8(tag_set).u8(set_list).u8(request.invoke);
    encode_length(out, request.targets.size());
    for (const auto& target : request.targets) put_target(out, target);
    put_values(out, request.values);
    return out.take();
}

Buffer encode(const SetBlockRequest& request) {
    assert(request.list || request.targets.size() <= 1);
    Writer out;
    const std::uint8_t choice = request.list              ? set_list_block
                                : request.targets.empty() ? set_block
                                                          : set_first_block;
    out.u8(tag_set).u8(choice).u8(request.invoke);
    if (request.list) encode_length(out, request.targets.size());
    for (const auto& target : request.targets) put_target(out, target);
    put_block(out, request);
    return out.take();
}

Buffer encode(const ActionRequest& request) {
    Writer out;
    out.u8(tag_action).u8(action_normal).u8(request.invoke);
    put(out, request.id);
    out.u8(request.argument ? 1 : 0);
    if (request.argument) encode_data(out, *request.argument);
    return out.take();
}

Buffer encode(const ActionNextRequest& request) {
    Writer out;
    out.u8(tag_action).u8(action_next).u8(request.invoke).u32(request.block);
    return out.take();
}

Buffer encode(const ActionListRequest& request) {
    assert(request.ids.size() == request.arguments.size());
    Writer out;
    out.u8(tag_action).u8(action_list).u8(request.invoke);
    encode_length(out, request.ids.size());
    for (const auto& id : request.ids) put(out, id);
    put_values(out, request.arguments);
    return out.take();
}

Buffer encode(const ActionBlockRequest& request) {
    assert(request.list || request.ids.size() <= 1);
    Writer out;
    const std::uint8_t choice = request.list          ? action_list_block
                                : request.ids.empty() ? action_block
                                                      : action_first_block;
    out.u8(tag_action).u8(choice).u8(request.invoke);
    if (request.list) encode_length(out, request.ids.size());
    for (const auto& id : request.ids) put(out, id);
    put_block(out, request);
    return out.take();
}

Buffer encode_values(const std::vector<Data>& values) {
    Writer out;
    put_values(out, values);
    return out.take();
}

Result<std::vector<Data>> decode_values(Bytes octets) {
    Reader in{octets};
    auto values = sequence<Data>(in, 1, [](Reader& at) { return decode_data(at); });
    in.expect_end();
    if (in.error()) return *in.error();
    return values;
}

}  // namespace wattmesh::dlms
