// The hello has no standard; layout, checksum and captures: uplink fact sheet 2 (LONGI, IVY, Momas units).
#include <algorithm>
#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/link/fcs.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::link {
namespace {

constexpr std::size_t address_size_max = 32;

bool is_kind(std::uint8_t octet) {
    using enum Hello::Kind;
    const auto kind = static_cast<Hello::Kind>(octet);
    return kind == login || kind == heartbeat || kind == login_ack || kind == heartbeat_ack;
}

bool is_printable(Bytes text) {
    return std::all_of(text.begin(), text.end(),
                       [](std::uint8_t octet) { return octet >= 0x20 && octet < 0x7F; });
}

}  // namespace

bool is_hello(Bytes payload) { return !payload.empty() && is_kind(payload.front()); }

Result<Hello> decode_hello(Bytes payload) {
    Reader in{payload};
    const std::uint8_t kind = in.u8();
    if (in.ok() && !is_kind(kind)) in.fail_at(Fault::bad_tag, 0);
    Hello hello{.kind = static_cast<Hello::Kind>(kind), .type = in.u8()};
    const std::size_t address_size = in.u8();
    if (address_size > address_size_max) in.fail_at(Fault::too_long, 2);
    if (in.ok() && address_size == 0) in.fail_at(Fault::bad_value, 2);
    const Bytes address = in.bytes(address_size);
    if (!is_printable(address)) in.fail_at(Fault::bad_value, 3);
    hello.address.assign(address.begin(), address.end());
    // Nothing says whether the option octet is there but the length: two octets of checksum always end the
    // hello.
    if (in.remaining() == 3) hello.option = in.u8();
    const std::size_t covered = in.position();
    const std::uint16_t sum = in.u16_le();
    in.expect_end();
    if (in.error()) return *in.error();
    hello.checksum_ok = sum == fcs16(payload.subspan(1, covered - 1));
    return hello;
}

Buffer encode_hello(const Hello& hello) {
    assert(!hello.address.empty() && hello.address.size() <= address_size_max);
    Writer out;
    out.u8(static_cast<std::uint8_t>(hello.kind))
        .u8(hello.type)
        .u8(static_cast<std::uint8_t>(hello.address.size()));
    out.bytes(as_bytes(hello.address));
    if (hello.option) out.u8(*hello.option);
    out.u16_le(fcs16(out.view().subspan(1)));
    return out.take();
}

}  // namespace wattmesh::link
