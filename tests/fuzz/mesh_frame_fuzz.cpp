#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocol/mesh/frame.h"
#include "protocol/mesh/last_gasp.h"
#include "protocol/mesh/network.h"
#include "protocol/mesh/node_state.h"

using namespace wattmesh;
using namespace wattmesh::mesh;

namespace {

/// What is accepted must be written back the same.
template <class Decode>
void check(Decode decode, Bytes body) {
    const auto value = decode(body);
    if (value && encode(value.value()) != to_buffer(body)) std::abort();
}

/// An older format is accepted and written back in the newest one.
void check_state(Bytes body) {
    const auto state = decode_node_state(body);
    if (!state) return;
    const auto newest = encode(state.value());
    if (newest.front() == body.front() && newest != to_buffer(body)) std::abort();
    const auto again = decode_node_state(newest);
    if (!again || encode(again.value()) != newest) std::abort();
}

}  // namespace

/// First octet chooses the decoder: radio frames as they come from the air, and every body inside them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes body{data + 1, size - 1};
    switch (data[0] % 14) {
        case 0: {
            const auto frame = decode_mac(body);
            if (frame && finish(encode_covered(frame->frame), frame->mic) != to_buffer(body)) std::abort();
            break;
        }
        case 1:
            check(decode_ack, body);
            break;
        case 2:
            check(decode_down, body);
            break;
        case 3:
            check(decode_up, body);
            break;
        case 4:
            check(decode_beacon, body);
            break;
        case 5:
            check(decode_solicit, body);
            break;
        case 6:
            check(decode_answer, body);
            break;
        case 7:
            check(decode_link_report, body);
            break;
        case 8:
            check(decode_route_error, body);
            break;
        case 9:
            check(decode_join_request, body);
            break;
        case 10:
            check(decode_join_accept, body);
            break;
        case 11:
            check(decode_dark_list, body);
            break;
        case 12:
            check(decode_dark_known, body);
            break;
        default:
            check(decode_forwarded_join, body);
            check_state(body);
            // behind a right FCS, where chance would hardly ever come
            if (body.size() > 6 && body.size() < psdu_size_max - 2) {
                Mic mic{body[0], body[1], body[2], body[3]};
                const Buffer psdu = finish(to_buffer(body.subspan(4)), mic);
                const auto frame = decode_mac(psdu);
                if (frame && finish(encode_covered(frame->frame), frame->mic) != psdu) std::abort();
                (void)decode_ack(psdu);
            }
    }
    return 0;
}
