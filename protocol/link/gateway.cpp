#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t request_tag = 0xE6, response_tag = 0xE7;
constexpr std::size_t address_size_max = 32;

}  // namespace

bool is_gateway(Bytes payload) {
    return !payload.empty() && (payload.front() == request_tag || payload.front() == response_tag);
}

Result<GatewayFrame> decode_gateway(Bytes payload) {
    Reader in{payload};
    const std::uint8_t tag = in.u8();
    if (in.ok() && tag != request_tag && tag != response_tag) in.fail_at(Fault::bad_tag, 0);
    GatewayFrame frame{.response = tag == response_tag, .network = in.u8()};
    const std::size_t address_size = in.u8();
    if (address_size > address_size_max) in.fail_at(Fault::too_long, 2);
    frame.address = to_buffer(in.bytes(address_size));
    if (in.ok() && in.remaining() == 0) in.fail(Fault::truncated);
    frame.apdu = to_buffer(in.rest());
    if (in.error()) return *in.error();
    return frame;
}

Buffer encode_gateway(const GatewayFrame& frame) {
    assert(frame.address.size() <= address_size_max);
    Writer out;
    out.u8(frame.response ? response_tag : request_tag).u8(frame.network);
    out.u8(static_cast<std::uint8_t>(frame.address.size())).bytes(frame.address).bytes(frame.apdu);
    return out.take();
}

}  // namespace wattmesh::link
