#include "protocol/dlms/access.h"

#include <cassert>

#include "protocol/dlms/apdu_parts.h"
#include "protocol/dlms/selection.h"

namespace wattmesh::dlms {

namespace {

using namespace parts;

constexpr std::uint8_t tag_request = 0xD9, tag_response = 0xDA;
constexpr std::uint8_t choice_get = 1, choice_set = 2, choice_action = 3, choice_get_selective = 4,
                       choice_set_selective = 5;
constexpr std::size_t date_time_size = 12;

Buffer date_time(Reader& in) {
    const std::size_t start = in.position();
    const std::size_t length = decode_length(in);
    if (in.ok() && length != 0 && length != date_time_size) in.fail_at(Fault::bad_value, start);
    return to_buffer(in.bytes(length));
}

void put_date_time(Writer& out, Bytes octets) {
    assert(octets.empty() || octets.size() == date_time_size);
    encode_length(out, octets.size());
    out.bytes(octets);
}

AccessSpecification specification(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t choice = in.u8();
    switch (choice) {
        case choice_get:
            return AccessGet{.id = attribute_id(in), .selection = {}};
        case choice_get_selective: {
            AccessGet get{.id = attribute_id(in), .selection = {}};
            const std::uint8_t selector = in.u8();
            auto selection = selection_from(selector, decode_data(in));
            get.selection_valid = selection.has_value();
            if (selection) get.selection = std::move(*selection);
            return get;
        }
        case choice_set:
            return AccessSet{{.id = attribute_id(in)}};
        case choice_set_selective: {
            const AccessSet set{{.id = attribute_id(in), .selective = true}};
            in.skip(1);
            decode_data(in);
            return set;
        }
        case choice_action:
            return AccessAction{method_id(in)};
        default:
            in.fail_at(Fault::bad_tag, start);
            return AccessGet{};
    }
}

struct PutSpecification {
    Writer& out;
    void operator()(const AccessGet& get) const {
        const bool selective = !std::holds_alternative<std::monostate>(get.selection);
        out.u8(selective ? choice_get_selective : choice_get);
        put(out, get.id);
        if (!selective) return;
        Writer selection;  // its presence octet has no place here: the choice says it
        encode_selection(selection, get.selection);
        out.bytes(selection.view().subspan(1));
    }
    void operator()(const AccessSet& set) const {
        out.u8(choice_set);
        put(out, set.target.id);
    }
    void operator()(const AccessAction& action) const {
        out.u8(choice_action);
        put(out, action.id);
    }
};

void put_specifications(Writer& out, const std::vector<AccessSpecification>& specifications) {
    encode_length(out, specifications.size());
    for (const auto& one : specifications) std::visit(PutSpecification{out}, one);
}

void put_data(Writer& out, const std::vector<Data>& data) {
    encode_length(out, data.size());
    for (const Data& value : data) encode_data(out, value);
}

std::vector<Data> data_list(Reader& in) {
    return sequence<Data>(in, 1, [](Reader& at) { return decode_data(at); });
}

AccessResponseItem response_item(Reader& in) {
    const std::size_t start = in.position();
    const std::uint8_t kind = in.u8();
    if (in.ok() && (kind < choice_get || kind > choice_action)) in.fail_at(Fault::bad_tag, start);
    return {static_cast<AccessKind>(kind), static_cast<AccessResult>(in.u8())};
}

}  // namespace

Buffer encode(const AccessRequest& request) {
    assert(request.specifications.size() == request.data.size());
    Writer out;
    out.u8(tag_request).u32(request.invoke);
    put_date_time(out, request.date_time);
    put_specifications(out, request.specifications);
    put_data(out, request.data);
    return out.take();
}

Result<AccessRequest> decode_access_request(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_request);
    AccessRequest request{.invoke = in.u32(), .date_time = date_time(in), .specifications = {}, .data = {}};
    request.specifications = sequence<AccessSpecification>(in, 10, specification);
    const std::size_t start = in.position();
    request.data = data_list(in);
    if (in.ok() && request.data.size() != request.specifications.size()) in.fail_at(Fault::bad_value, start);
    in.expect_end();
    if (in.error()) return *in.error();
    return request;
}

Buffer encode(const AccessResponse& response) {
    Writer out;
    out.u8(tag_response).u32(response.invoke);
    put_date_time(out, response.date_time);
    out.u8(response.specifications.empty() ? 0 : 1);
    if (!response.specifications.empty()) put_specifications(out, response.specifications);
    put_data(out, response.data);
    encode_length(out, response.results.size());
    for (const auto& item : response.results)
        out.u8(static_cast<std::uint8_t>(item.kind)).u8(static_cast<std::uint8_t>(item.result));
    return out.take();
}

Result<AccessResponse> decode_access_response(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_response);
    AccessResponse response{
        .invoke = in.u32(), .date_time = date_time(in), .specifications = {}, .data = {}, .results = {}};
    if (presence(in)) response.specifications = sequence<AccessSpecification>(in, 10, specification);
    response.data = data_list(in);
    const std::size_t start = in.position();
    response.results = sequence<AccessResponseItem>(in, 2, response_item);
    if (in.ok() && response.results.size() != response.data.size()) in.fail_at(Fault::bad_value, start);
    in.expect_end();
    if (in.error()) return *in.error();
    return response;
}

}  // namespace wattmesh::dlms
