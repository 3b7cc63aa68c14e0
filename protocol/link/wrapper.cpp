#include "protocol/link/wrapper.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::link {
namespace {

constexpr std::size_t header_size = 8;
constexpr std::uint16_t version = 1;

}  // namespace

Buffer encode_wrapper(const WrapperFrame& frame) {
    assert(frame.payload.size() <= 0xFFFF);
    Writer out;
    out.u16(version).u16(frame.source.value).u16(frame.destination.value);
    out.u16(static_cast<std::uint16_t>(frame.payload.size())).bytes(frame.payload);
    return out.take();
}

Result<WrapperFrame> decode_wrapper_datagram(Bytes datagram, std::size_t payload_size_max) {
    Reader in{datagram};
    if (in.u16() != version && in.ok()) in.fail_at(Fault::bad_version, 0);
    WrapperFrame frame{.source = Sap{in.u16()}, .destination = Sap{in.u16()}};
    const std::size_t length = in.u16();
    if (length > payload_size_max) in.fail_at(Fault::too_long, 6);
    frame.payload = to_buffer(in.bytes(length));
    in.expect_end();
    if (in.error()) return *in.error();
    return frame;
}

void WrapperDecoder::feed(Bytes bytes) {
    if (!error_) buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<WrapperFrame> WrapperDecoder::next() {
    if (error_) return std::nullopt;
    Reader in{buffer_};
    if (buffer_.size() >= 2 && in.u16() != version) error_ = Error{Fault::bad_version, 0};
    if (error_ || buffer_.size() < header_size) return std::nullopt;
    const Sap source{in.u16()}, destination{in.u16()};
    const std::size_t length = in.u16();
    if (length > payload_size_max_) {
        error_ = Error{Fault::too_long, 6};
        return std::nullopt;
    }
    if (in.remaining() < length) return std::nullopt;
    WrapperFrame frame{source, destination, to_buffer(in.bytes(length))};
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(header_size + length));
    return frame;
}

}  // namespace wattmesh::link
