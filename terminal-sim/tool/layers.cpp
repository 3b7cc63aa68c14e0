#include "terminal-sim/tool/layers.h"

#include <fmt/format.h>

#include "protocol/cosem/class_table.h"
#include "protocol/cosem/obis_names.h"
#include "protocol/dlms/acse.h"
#include "protocol/dlms/apdu.h"
#include "protocol/link/hdlc.h"
#include "protocol/link/wrapper.h"
#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

using namespace dlms;

/// Collects lines at a depth.
struct Lines {
    LayerText out;
    void add(int depth, const std::string& line) {
        out.text += std::string(static_cast<std::size_t>(depth) * 2, ' ') + line + "\n";
    }
    void fault(int depth, const char* what, Error error) {
        out.whole = false;
        add(depth, fmt::format("{}: {} at octet {}", what, to_string(error.fault), error.offset));
    }
};

std::string_view kind_of(std::uint8_t tag) {
    switch (tag) {
        case 0x01:
            return "initiate-request";
        case 0x08:
            return "initiate-response";
        case 0x0E:
            return "confirmed-service-error";
        case 0x0F:
            return "data-notification";
        case 0x21:
            return "glo-initiate-request";
        case 0x28:
            return "glo-initiate-response";
        case 0x60:
            return "aarq";
        case 0x61:
            return "aare";
        case 0x62:
            return "rlrq";
        case 0x63:
            return "rlre";
        case 0xC0:
            return "get-request";
        case 0xC1:
            return "set-request";
        case 0xC2:
            return "event-notification-request";
        case 0xC3:
            return "action-request";
        case 0xC4:
            return "get-response";
        case 0xC5:
            return "set-response";
        case 0xC7:
            return "action-response";
        case 0xC8:
            return "glo-get-request";
        case 0xC9:
            return "glo-set-request";
        case 0xCB:
            return "glo-action-request";
        case 0xCC:
            return "glo-get-response";
        case 0xCD:
            return "glo-set-response";
        case 0xCF:
            return "glo-action-response";
        case 0xD8:
            return "exception-response";
        case 0xDB:
            return "general-glo-ciphering";
        case 0xDD:
            return "general-ciphering";
        case 0xE0:
            return "general-block-transfer";
        default:
            return "unknown APDU";
    }
}

/// " (clock.time, Clock)" as far as the tables know.
template <class Member>
std::string words_of(const cosem::ClassSpec* spec, const Member* member, const ObisCode& object) {
    const std::string name = cosem::obis_name(object);
    if (spec == nullptr) return name.empty() ? "" : " (" + name + ")";
    std::string words = " (" + std::string{spec->name};
    if (member != nullptr) (words += '.') += member->name;
    return words + (name.empty() ? "" : ", " + name) + ")";
}

void attribute_line(Lines& lines, int depth, const AttributeId& id) {
    const auto* spec = cosem::find_class(id.class_id);
    const auto* attribute = spec == nullptr ? nullptr : spec->attribute(id.attribute);
    lines.add(depth, fmt::format("class {} object {} attribute {}{}", id.class_id, to_string(id.object),
                                 id.attribute, words_of(spec, attribute, id.object)));
}

void method_line(Lines& lines, int depth, const MethodId& id) {
    const auto* spec = cosem::find_class(id.class_id);
    const auto* method = spec == nullptr ? nullptr : spec->method(id.method);
    lines.add(depth, fmt::format("class {} object {} method {}{}", id.class_id, to_string(id.object),
                                 id.method, words_of(spec, method, id.object)));
}

void request_lines(Lines& lines, int depth, Bytes apdu) {
    const auto request = decode_request(apdu);
    if (!request) return lines.fault(depth, "does not decode", request.error());
    if (const auto* get = std::get_if<GetRequest>(&*request)) {
        attribute_line(lines, depth, get->id);
        if (const auto* range = std::get_if<RangeSelection>(&get->selection))
            lines.add(depth, "range " + to_json(range->from) + " to " + to_json(range->to));
        if (const auto* entries = std::get_if<EntrySelection>(&get->selection))
            lines.add(depth, fmt::format("entries {} to {}", entries->from, entries->to));
    } else if (const auto* next = std::get_if<GetNextRequest>(&*request)) {
        lines.add(depth, fmt::format("after block {}", next->block));
    } else if (const auto* set = std::get_if<SetRequest>(&*request)) {
        attribute_line(lines, depth, set->target.id);
        lines.add(depth, "value " + to_json(set->value));
    } else if (const auto* action = std::get_if<ActionRequest>(&*request)) {
        method_line(lines, depth, action->id);
    }
}

void response_lines(Lines& lines, int depth, Bytes apdu) {
    const auto response = decode_response(apdu);
    if (!response) return lines.fault(depth, "does not decode", response.error());
    if (const auto* get = std::get_if<GetResponse>(&*response)) {
        if (const auto* value = std::get_if<Data>(&get->outcome))
            lines.add(depth, "value " + to_json(*value));
        else
            lines.add(depth, fmt::format("result {}", to_string(std::get<AccessResult>(get->outcome))));
    } else if (const auto* block = std::get_if<GetBlockResponse>(&*response)) {
        lines.add(depth, fmt::format("block {}{}", block->block, block->last ? ", the last" : ""));
    } else if (const auto* set = std::get_if<SetResponse>(&*response)) {
        lines.add(depth, fmt::format("result {}", to_string(set->result)));
    } else if (const auto* action = std::get_if<ActionResponse>(&*response)) {
        lines.add(depth, fmt::format("result {}", to_string(action->outcome.result)));
    }
}

void apdu_lines(Lines& lines, int depth, Bytes apdu) {
    if (apdu.empty()) return lines.add(depth, "no APDU");
    if (link::is_gateway(apdu)) {
        const auto gateway = link::decode_gateway(apdu);
        if (!gateway) return lines.fault(depth, "gateway prefix", gateway.error());
        lines.add(depth,
                  fmt::format("gateway {} network {} address {}", gateway->response ? "response" : "request",
                              gateway->network, to_hex(gateway->address)));
        return apdu_lines(lines, depth + 1, gateway->apdu);
    }
    const std::uint8_t tag = apdu.front();
    lines.add(depth, fmt::format("{} ({:02X}), {} octets", kind_of(tag), tag, apdu.size()));
    const int inner = depth + 1;
    if (tag == 0xC0 || tag == 0xC1 || tag == 0xC3) return request_lines(lines, inner, apdu);
    if (tag == 0xC4 || tag == 0xC5 || tag == 0xC7) return response_lines(lines, inner, apdu);
    if (tag == 0x60) {
        const auto aarq = decode_aarq(apdu);
        if (!aarq) return lines.fault(inner, "does not decode", aarq.error());
        lines.add(inner, fmt::format("context {} mechanism {}", static_cast<int>(aarq->context),
                                     aarq->mechanism ? static_cast<int>(*aarq->mechanism) : 0));
    } else if (tag == 0x61) {
        const auto aare = decode_aare(apdu);
        if (!aare) return lines.fault(inner, "does not decode", aare.error());
        lines.add(inner, fmt::format("context {} result {} diagnostic {}", static_cast<int>(aare->context),
                                     aare->result, aare->diagnostic));
    } else if (tag == 0xD8) {
        const auto exception = decode_exception(apdu);
        if (!exception) return lines.fault(inner, "does not decode", exception.error());
        lines.add(inner, fmt::format("state {} service {}", exception->state, exception->service));
    } else if (tag == 0x0F) {
        const auto notification = decode_data_notification(apdu);
        if (!notification) return lines.fault(inner, "does not decode", notification.error());
        lines.add(inner, "body " + to_json(notification->body));
    }
}

void wrapper_lines(Lines& lines, Bytes octets) {
    link::WrapperDecoder decoder;
    decoder.feed(octets);
    while (const auto frame = decoder.next()) {
        lines.add(0, fmt::format("wrapper source {} destination {}, {} octets", frame->source.value,
                                 frame->destination.value, frame->payload.size()));
        if (link::is_hello(frame->payload)) {
            const auto hello = link::decode_hello(frame->payload);
            if (!hello)
                lines.fault(1, "hello", hello.error());
            else
                lines.add(1, fmt::format("hello {:02X} address {}", static_cast<int>(hello->kind),
                                         json_escaped(hello->address)));
        } else {
            apdu_lines(lines, 1, frame->payload);
        }
    }
    if (decoder.error())
        lines.fault(0, "wrapper", *decoder.error());
    else if (decoder.partial())
        lines.fault(0, "wrapper", {Fault::truncated, octets.size()});
}

void hdlc_lines(Lines& lines, Bytes octets) {
    link::HdlcDecoder decoder;
    decoder.feed(octets);
    bool any = false;
    while (const auto frame = decoder.next()) {
        any = true;
        const std::uint8_t control = frame->control;
        const std::string kind = link::hdlc_control::is_information(control)
                                     ? fmt::format("I {}/{}", link::hdlc_control::send_number(control),
                                                   link::hdlc_control::receive_number(control))
                                 : link::hdlc_control::is_receive_ready(control) ? "RR"
                                 : control == link::hdlc_control::snrm           ? "SNRM"
                                 : control == link::hdlc_control::ua             ? "UA"
                                 : control == link::hdlc_control::disc
                                     ? "DISC"
                                     : fmt::format("control {:02X}", control);
        lines.add(0, fmt::format("hdlc {} destination {} source {}{}, {} octets", kind,
                                 frame->destination.upper, frame->source.upper,
                                 frame->segmented ? " segmented" : "", frame->information.size()));
        const Bytes information = frame->information;
        const bool llc = information.size() > 3 && information[0] == 0xE6 &&
                         (information[1] == 0xE6 || information[1] == 0xE7);
        if (!llc) continue;
        if (frame->segmented)
            lines.add(1, "first segment of an APDU");
        else
            apdu_lines(lines, 1, information.subspan(3));
    }
    if (!any || decoder.refused() > 0 || decoder.partial()) lines.fault(0, "hdlc", {Fault::bad_checksum, 0});
}

}  // namespace

LayerText describe(Bytes octets) {
    Lines lines;
    if (octets.size() >= 2 && octets[0] == 0x00 && octets[1] == 0x01)
        wrapper_lines(lines, octets);
    else if (!octets.empty() && octets[0] == 0x7E)
        hdlc_lines(lines, octets);
    else
        apdu_lines(lines, 0, octets);
    return lines.out;
}

}  // namespace wattmesh::sim
