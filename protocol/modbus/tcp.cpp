#include "protocol/modbus/tcp.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::modbus {

namespace {
constexpr std::size_t header_size = 6;  // up to the length, which counts unit and PDU
}

Buffer encode_tcp(const TcpFrame& frame) {
    assert(!frame.pdu.empty() && frame.pdu.size() <= pdu_size_max);
    Writer out;
    out.u16(frame.transaction).u16(0).u16(static_cast<std::uint16_t>(1 + frame.pdu.size()));
    return out.u8(frame.unit).bytes(frame.pdu).take();
}

void TcpDecoder::feed(Bytes octets) {
    if (!error_) buffer_.insert(buffer_.end(), octets.begin(), octets.end());
}

std::optional<TcpFrame> TcpDecoder::next() {
    if (error_) return std::nullopt;
    Reader in{buffer_};
    TcpFrame frame{in.u16(), 0, {}};
    if (buffer_.size() >= 4 && in.u16() != 0) error_ = Error{Fault::bad_version, 2};
    if (error_ || buffer_.size() < header_size) return std::nullopt;
    const std::size_t length = in.u16();
    if (length < 2 || length > 1 + pdu_size_max) error_ = Error{Fault::bad_value, 4};
    if (error_ || in.remaining() < length) return std::nullopt;
    frame.unit = in.u8();
    frame.pdu = to_buffer(in.bytes(length - 1));
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(header_size + length));
    return frame;
}

}  // namespace wattmesh::modbus
