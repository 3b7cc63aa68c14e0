#include "protocol/link/hdlc_parameters.h"

#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/link/hdlc.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t format_identifier = 0x81, group_identifier = 0x80;
constexpr std::uint8_t send_size = 5, receive_size = 6, send_window = 7, receive_window = 8;
constexpr std::size_t value_octets_max = 4;

void write_size(Writer& out, std::uint8_t id, std::size_t value) {
    if (value <= 0xFF) {
        out.u8(id).u8(1).u8(static_cast<std::uint8_t>(value));
    } else {
        out.u8(id).u8(2).u16(static_cast<std::uint16_t>(value));
    }
}

void read_parameter(Reader& in, HdlcParameters& parameters) {
    const std::uint8_t id = in.u8();
    const std::size_t octets = in.u8();
    const std::size_t start = in.position();
    std::uint64_t value = 0;
    const bool known = id >= send_size && id <= receive_window;
    if (known && (octets == 0 || octets > value_octets_max)) in.fail_at(Fault::bad_value, start - 1);
    for (const std::uint8_t octet : in.bytes(octets)) value = value << 8U | octet;
    const bool window = id == send_window || id == receive_window;
    if (known && (value == 0 || (window && value > hdlc_window_max))) in.fail_at(Fault::bad_value, start);
    if (!in.ok()) return;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(value, hdlc_information_size_max));
    if (id == send_size) parameters.send_size = size;
    if (id == receive_size) parameters.receive_size = size;
    if (id == send_window) parameters.send_window = static_cast<unsigned>(value);
    if (id == receive_window) parameters.receive_window = static_cast<unsigned>(value);
}

}  // namespace

Result<HdlcParameters> decode_hdlc_parameters(Bytes information) {
    HdlcParameters parameters;
    if (information.empty()) return parameters;
    Reader in{information};
    in.expect(format_identifier).expect(group_identifier);
    const std::size_t size = in.u8();
    if (in.ok() && size > in.remaining()) in.fail_at(Fault::truncated, information.size());
    if (in.ok() && size < in.remaining()) in.fail_at(Fault::trailing, 3 + size);
    while (in.remaining() > 0) read_parameter(in, parameters);
    if (in.error()) return *in.error();
    return parameters;
}

Buffer encode_hdlc_parameters(const HdlcParameters& parameters) {
    Writer group;
    write_size(group, send_size, parameters.send_size);
    write_size(group, receive_size, parameters.receive_size);
    group.u8(send_window).u8(4).u32(parameters.send_window);
    group.u8(receive_window).u8(4).u32(parameters.receive_window);
    Writer out;
    out.u8(format_identifier).u8(group_identifier).u8(static_cast<std::uint8_t>(group.size()));
    return out.bytes(group.view()).take();
}

}  // namespace wattmesh::link
