#include <algorithm>

#include "protocol/decode/iec104_words.h"
#include "protocol/decode/link_lines.h"
#include "protocol/iec104/apci.h"

namespace wattmesh::decode {
namespace {

using namespace iec104;

constexpr std::size_t prefix_size = 2, control_size = 4, objects_at = asdu_header_size;

/// The header says what it can even when the rest makes no sense.
void header_lines(Walk& walk, std::size_t at, Bytes octets, const Header& header) {
    walk.title(at, "asdu {}: {}", octets[0], type_words(octets[0]));
    walk.line(at + 1, "{} objects{}", octets[1] & 0x7F, octets[1] > 0x7F ? ", in sequence" : "");
    walk.line(at + 2, "cause {}{}{}, originator {}", cause_words(header.cause),
              header.negative ? ", negative" : "", header.test ? ", test" : "", header.originator);
    walk.line(at + 4, "common address {}{}", header.common_address,
              header.common_address == broadcast ? " (all stations)" : "");
}

void object_lines(Walk& walk, std::size_t at, const Asdu& asdu) {
    const auto& form = *form_of(static_cast<std::uint8_t>(asdu.header.type));
    const auto size = form.size + (asdu.sequence ? 0 : address_size);
    std::size_t number = 0;
    for (const auto& object : asdu.objects) {
        // In a sequence the first object has the address before it.
        const auto place = at + objects_at + number * size + (asdu.sequence && number > 0 ? address_size : 0);
        walk.line(place, "object {}: {}{}", object.address, object_words(object),
                  form.has_time ? ", " + time_words(object.time) : "");
        ++number;
    }
}

void asdu_lines(Walk& walk) {
    walk.where = "ASDU";
    const auto at = walk.here();
    const auto octets = walk.in.rest();
    const auto header = decode_header(octets);
    if (!header)
        return walk.fail(header.error().fault, at + header.error().offset, "the header has 6 octets");
    header_lines(walk, at, octets, *header);
    const auto asdu = decode_asdu(octets);
    if (!asdu) {
        const auto* form = form_of(octets[0]);
        return walk.fail(asdu.error().fault, at + asdu.error().offset,
                         form == nullptr ? "a type that is not known here"
                                         : fmt::format("an object of {} has {} octets behind its address",
                                                       form->name, form->size));
    }
    object_lines(walk, at, *asdu);
}

void frame(Walk& walk, Bytes octets) {
    const auto at = walk.here();
    const auto decoded = decode_frame(octets);
    if (!decoded) {
        walk.title(at, "iec104 frame");
        return walk.fail(decoded.error().fault, at + decoded.error().offset, "");
    }
    switch (decoded->format) {
        case Format::unnumbered:
            walk.in.skip(octets.size());
            return walk.title(at, "iec104 U {}", to_string(decoded->function));
        case Format::supervisory:
            walk.in.skip(octets.size());
            return walk.title(at, "iec104 S N(R)={}", decoded->received);
        case Format::information:
            walk.title(at, "iec104 I N(S)={} N(R)={}, {} octets", decoded->sent, decoded->received,
                       octets.size() - prefix_size);
            walk.in.skip(prefix_size + control_size);
            return walk.inner(decoded->asdu.size(), "ASDU", asdu_lines);
    }
}

}  // namespace

void iec104_lines(Session& session, const Passage& passage) {
    const Bytes octets = passage.octets();
    for (std::size_t at = 0; at < octets.size();) {
        const auto announced =
            octets.size() - at > 1 ? std::size_t{octets[at + 1]} + prefix_size : prefix_size;
        const auto end = std::min(at + announced, octets.size());
        Walk walk{session, passage, at, end, 0, "iec104"};
        frame(walk, octets.subspan(at, end - at));
        walk.depth = 0;
        walk.finish();
        at = end;
        while (at < octets.size() && octets[at] != start_octet) ++at;
        if (at == end || at == octets.size()) continue;
        session.report.fault(passage, end, 0, Fault::bad_tag, "iec104", "between frames");
    }
}

}  // namespace wattmesh::decode
