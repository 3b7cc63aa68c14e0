#include "protocol/decode/apdu_lines.h"

#include "protocol/decode/link_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/transfer.h"

namespace wattmesh::decode {
namespace {

constexpr int nesting_max = 16;

using Body = void (*)(Walk&);

Body body_of(std::uint8_t tag) {
    switch (tag) {
        case 0x01:
            return initiate_request_lines;
        case 0x08:
            return initiate_response_lines;
        case 0x0E:
            return service_error_lines;
        case 0x05:
        case 0x06:
        case 0x16:
        case 0x18:
            return short_name_request_lines;
        case 0x0C:
        case 0x0D:
            return short_name_response_lines;
        case 0x0F:
            return data_notification_lines;
        case 0x60:
        case 0x61:
        case 0x62:
        case 0x63:
            return association_lines;
        case 0xC0:
            return get_request_lines;
        case 0xC1:
            return set_request_lines;
        case 0xC2:
            return event_notification_lines;
        case 0xC3:
            return action_request_lines;
        case 0xC4:
            return get_response_lines;
        case 0xC5:
            return set_response_lines;
        case 0xC7:
            return action_response_lines;
        case 0xD8:
            return exception_lines;
        case 0xD9:
            return access_request_lines;
        case 0xDA:
            return access_response_lines;
        case 0xDF:
            return signed_lines;
        case 0xE0:
            return general_block_lines;
        case 0xE6:
        case 0xE7:
            return gateway_lines;
        default:
            return apdu_name(tag).empty() ? nullptr : ciphered_lines;
    }
}

}  // namespace

void apdu_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const auto tag = walk.in.peek();
    if (!tag) {
        walk.in.u8();  // no APDU at all: truncated
        return;
    }
    const Body body = body_of(*tag);
    if (body == nullptr) return walk.fail(Fault::bad_tag, at, fmt::format("{:02X} begins no APDU", *tag));
    if (walk.session.nesting >= nesting_max)
        return walk.fail(Fault::too_deep, at, "more than 16 messages in another");
    const int depth = walk.depth;
    ++walk.session.nesting;
    body(walk);
    --walk.session.nesting;
    walk.depth = depth;
}

void general_block_lines(Walk& walk) {
    const std::size_t at = walk.here();
    walk.where = "general-block-transfer";
    walk.in.skip(1);
    const std::uint8_t control = walk.in.u8();
    const std::uint16_t number = walk.in.u16();
    const std::uint16_t acknowledged = walk.in.u16();
    const std::size_t size = walk.length();
    const bool last = (control & 0x80) != 0;
    walk.title(at, "general-block-transfer block {}{}, window {}, acknowledges {}, {} octets{}", number,
               last                    ? ", the last"
               : (control & 0x40) != 0 ? ", streaming"
                                       : ", waits for an answer",
               control & 0x3F, acknowledged, size, size == 0 ? ": an acknowledgement" : "");
    add_part_of(walk, Content::apdu, number, last, size);
}

}  // namespace wattmesh::decode
