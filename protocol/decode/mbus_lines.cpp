#include <algorithm>
#include <numeric>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/link_lines.h"
#include "protocol/decode/printable.h"
#include "protocol/decode/transfer.h"

namespace wattmesh::decode {
namespace {

constexpr std::uint8_t start = 0x68, stop = 0x16;
constexpr std::uint8_t last_segment = 0x10, segment_number = 0x0F, ci_segment_max = 0x1F;

/// C, A, CI and what follows, without checksum and stop.
void user_data(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t control = walk.in.u8(), address = walk.in.u8(), ci = walk.in.u8();
    const std::string head = fmt::format("control {:02X}, address {:02X}, CI {:02X}", control, address, ci);
    if (ci > ci_segment_max) {
        const Bytes data = walk.in.rest();
        return walk.line(at, "{} (no DLMS): {}", head, hex_words(data, 32));
    }
    const std::uint8_t source = walk.in.u8(), destination = walk.in.u8();
    const bool last = (ci & last_segment) != 0;
    const unsigned segment = ci & segment_number;
    walk.line(at, "{}: segment {}{}, from SAP {:02X} to {:02X}", head, segment, last ? ", the last" : "",
              source, destination);
    walk.session.direction = fmt::format("{}>{}", source, destination);
    const std::size_t begin = walk.here();
    const std::size_t size = walk.in.rest().size();
    if (walk.in.ok()) add_part(walk, Content::segment, segment + 1, last, begin, size);
}

/// One long frame at `at`; where to go on.
void frame(Walk& walk) {
    const std::size_t at = walk.here();
    walk.in.skip(1);
    const std::uint8_t length = walk.in.u8();
    const std::size_t again_at = walk.here();
    if (walk.in.u8() != length)
        walk.fail(Fault::bad_value, again_at, "the length comes twice, the second is another one");
    if (length < 3) walk.fail(Fault::bad_value, at + 1, fmt::format("length {}: C, A and CI take 3", length));
    if (walk.in.u8() != start) walk.fail(Fault::bad_tag, at + 3, "68 is missing behind the lengths");
    walk.title(at, "m-bus, {} octets", length);
    const std::size_t body_at = walk.here();
    walk.inner(length, "m-bus", user_data);
    const std::size_t sum_at = walk.here();
    const Bytes body = walk.passage.octets().subspan(body_at, sum_at - body_at);
    const auto computed = static_cast<std::uint8_t>(std::accumulate(body.begin(), body.end(), 0U));
    const std::uint8_t sum = walk.in.u8();
    if (sum != computed)
        walk.fail(Fault::bad_checksum, sum_at,
                  fmt::format("the sum is {:02X}, the octets before it give {:02X}", sum, computed));
    if (walk.in.u8() != stop) walk.fail(Fault::bad_tag, sum_at + 1, "the stop octet 16 is missing");
}

}  // namespace

void mbus_lines(Session& session, const Passage& passage) {
    const Bytes octets = passage.octets();
    std::size_t at = 0;
    while (at < octets.size()) {
        const std::size_t announced = octets.size() - at > 1 ? std::size_t{octets[at + 1]} + 6 : 6;
        const std::size_t end = std::min(at + announced, octets.size());
        Walk walk{session, passage, at, end, 0, "m-bus"};
        if (octets[at] == start) {
            frame(walk);
        } else {
            walk.fail(Fault::unexpected, at, "between frames");
        }
        walk.depth = 0;
        const bool good = walk.in.ok();
        walk.finish();
        if (good) {
            at = end;
            continue;
        }
        // 68 may be data: a frame begins where its lengths and the second 68 stand, too.
        const auto begins = [&](std::size_t place) {
            return place + 3 < octets.size() && octets[place] == start && octets[place + 3] == start &&
                   octets[place + 1] == octets[place + 2];
        };
        for (++at; at < octets.size() && !begins(at);) ++at;
    }
}

}  // namespace wattmesh::decode
