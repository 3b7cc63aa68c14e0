#include "protocol/iec104/apci.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/iec104/types.h"

namespace wattmesh::iec104 {
namespace {

constexpr std::size_t length_min = 4, length_max = 253, prefix_size = 2;

void put_le(Buffer& out, unsigned value) {
    out.push_back(static_cast<std::uint8_t>(value));
    out.push_back(static_cast<std::uint8_t>(value >> 8));
}

}  // namespace

std::string_view to_string(Unnumbered function) {
    switch (function) {
        case Unnumbered::start_activate:
            return "STARTDT act";
        case Unnumbered::start_confirm:
            return "STARTDT con";
        case Unnumbered::stop_activate:
            return "STOPDT act";
        case Unnumbered::stop_confirm:
            return "STOPDT con";
        case Unnumbered::test_activate:
            return "TESTFR act";
        case Unnumbered::test_confirm:
            return "TESTFR con";
    }
    return "?";
}

void encode_information(std::uint16_t sent, std::uint16_t received, Bytes asdu, Buffer& out) {
    assert(!asdu.empty() && asdu.size() <= asdu_size_max);
    out.push_back(start_octet);
    out.push_back(static_cast<std::uint8_t>(length_min + asdu.size()));
    put_le(out, sent * 2U);
    put_le(out, received * 2U);
    out.insert(out.end(), asdu.begin(), asdu.end());
}

void encode_supervisory(std::uint16_t received, Buffer& out) {
    out.insert(out.end(), {start_octet, length_min, 1, 0});
    put_le(out, received * 2U);
}

void encode_unnumbered(Unnumbered function, Buffer& out) {
    out.insert(out.end(), {start_octet, length_min, static_cast<std::uint8_t>(function), 0, 0, 0});
}

Result<Frame> decode_frame(Bytes frame) {
    Reader in{frame};
    in.expect(start_octet);
    const std::size_t length = in.u8();
    if (in.ok() && (length < length_min || length > length_max)) return Error{Fault::bad_value, 1};
    const unsigned low = in.u16_le(), high = in.u16_le();
    Frame decoded;
    decoded.received = static_cast<std::uint16_t>(high >> 1);
    if (in.error()) return *in.error();
    if (length != frame.size() - prefix_size)
        return Error{length > frame.size() - prefix_size ? Fault::truncated : Fault::trailing, 1};
    if ((low & 1) == 0) {
        decoded.format = Format::information;
        decoded.sent = static_cast<std::uint16_t>(low >> 1);
        decoded.asdu = in.rest();
        if ((high & 1) != 0) return Error{Fault::bad_value, 4};
        if (decoded.asdu.empty()) return Error{Fault::truncated, prefix_size + length_min};
        return decoded;
    }
    if (length != length_min) return Error{Fault::trailing, prefix_size + length_min};
    if (low == 1) {
        decoded.format = Format::supervisory;
        if ((high & 1) != 0) return Error{Fault::bad_value, 4};
        return decoded;
    }
    decoded.format = Format::unnumbered;
    decoded.function = static_cast<Unnumbered>(low & 0xFF);
    if (low > 0xFF || to_string(decoded.function) == "?") return Error{Fault::bad_value, 2};
    if (high != 0) return Error{Fault::bad_value, 4};
    return decoded;
}

void FrameDecoder::feed(Bytes octets) {
    if (error_) return;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    buffer_.insert(buffer_.end(), octets.begin(), octets.end());
}

std::optional<Frame> FrameDecoder::next() {
    if (error_) return std::nullopt;
    const auto rest = Bytes{buffer_}.subspan(at_);
    if (!rest.empty() && rest[0] != start_octet) error_ = Error{Fault::bad_tag, 0};
    if (error_ || rest.size() < prefix_size) return std::nullopt;
    const std::size_t length = rest[1];
    if (length < length_min || length > length_max) error_ = Error{Fault::bad_value, 1};
    if (error_ || rest.size() < prefix_size + length) return std::nullopt;
    const auto frame = decode_frame(rest.first(prefix_size + length));
    if (!frame) {
        error_ = frame.error();
        return std::nullopt;
    }
    at_ += prefix_size + length;
    return *frame;
}

}  // namespace wattmesh::iec104
