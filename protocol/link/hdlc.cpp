#include "protocol/link/hdlc.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/link/fcs.h"

namespace wattmesh::link {
namespace {

constexpr std::uint8_t flag = 0x7E;
constexpr std::size_t frame_length_min = 7;  // format 2, addresses 1 + 1, control 1, FCS 2

void encode_address(Writer& out, const HdlcAddress& address) {
    const auto high = [](std::uint16_t part) { return static_cast<std::uint8_t>(part >> 7U << 1U); };
    const auto low = [](std::uint16_t part) { return static_cast<std::uint8_t>(part << 1U); };
    assert(address.upper <= 0x3FFF && address.lower.value_or(0) <= 0x3FFF);
    if (!address.lower) {
        assert(address.upper <= 0x7F);
        out.u8(static_cast<std::uint8_t>(low(address.upper) | 1U));
    } else if (!address.wide && address.upper <= 0x7F && *address.lower <= 0x7F) {
        out.u8(low(address.upper)).u8(static_cast<std::uint8_t>(low(*address.lower) | 1U));
    } else {
        out.u8(high(address.upper)).u8(low(address.upper)).u8(high(*address.lower));
        out.u8(static_cast<std::uint8_t>(low(*address.lower) | 1U));
    }
}

HdlcAddress decode_address(Reader& in) {
    const std::size_t start = in.position();
    std::array<std::uint16_t, 4> part{};
    std::size_t count = 0;
    bool last = false;
    while (!last && count < part.size() && in.ok()) {
        const std::uint8_t octet = in.u8();
        part[count++] = static_cast<std::uint16_t>(octet >> 1U);
        last = (octet & 1U) != 0;
    }
    if (count == 1) return {.upper = part[0]};
    if (count == 2) return {.upper = part[0], .lower = part[1]};
    if (!last || count != 4) in.fail_at(Fault::bad_value, start);
    return {.upper = static_cast<std::uint16_t>(part[0] << 7U | part[1]),
            .lower = static_cast<std::uint16_t>(part[2] << 7U | part[3]),
            .wide = true};
}

}  // namespace

Buffer encode_hdlc(const HdlcFrame& frame) {
    assert(frame.information.size() <= hdlc_information_size_max);
    Writer addresses;
    encode_address(addresses, frame.destination);
    encode_address(addresses, frame.source);
    const bool has_information = !frame.information.empty();
    const std::size_t length =
        2 + addresses.size() + 1 + (has_information ? 2 + frame.information.size() : 0) + 2;
    Writer out;
    out.u8(flag).u16(static_cast<std::uint16_t>(0xA000U | (frame.segmented ? 0x0800U : 0U) | length));
    out.bytes(addresses.view()).u8(frame.control);
    if (has_information) out.u16_le(fcs16(out.view().subspan(1))).bytes(frame.information);
    out.u16_le(fcs16(out.view().subspan(1))).u8(flag);
    return out.take();
}

Result<HdlcFrame> decode_hdlc(Bytes bytes) {
    Reader in{bytes};
    in.expect(flag);
    const std::uint16_t format = in.u16();
    if (in.ok() && (format & 0xF000U) != 0xA000U) in.fail_at(Fault::bad_version, 1);
    const std::size_t length = format & 0x07FFU;
    if (in.ok() && length < frame_length_min) in.fail_at(Fault::bad_value, 1);
    if (in.ok() && bytes.size() < length + 2) in.fail_at(Fault::truncated, bytes.size());
    if (in.ok() && bytes.size() > length + 2) in.fail_at(Fault::trailing, length + 2);
    if (in.error()) return *in.error();

    const Bytes covered = bytes.subspan(1, length - 2);
    Reader tail{bytes.subspan(1 + length - 2), 1 + length - 2};
    if (tail.u16_le() != fcs16(covered)) tail.fail_at(Fault::bad_checksum, 0);
    tail.expect(flag);
    if (tail.error()) return *tail.error();

    Reader body{covered.subspan(2), 3};
    HdlcFrame frame;
    frame.segmented = (format & 0x0800U) != 0;
    frame.destination = decode_address(body);
    frame.source = decode_address(body);
    frame.control = body.u8();
    if (body.remaining() > 0) {
        const std::size_t header = 2 + body.position();
        if (body.u16_le() != fcs16(covered.first(header)) && body.ok()) {
            body.fail_at(Fault::bad_checksum, body.position() - 2);
        }
        frame.information = to_buffer(body.rest());
    }
    if (body.error()) return *body.error();
    return frame;
}

void HdlcDecoder::feed(Bytes bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

bool HdlcDecoder::partial() const {
    return std::any_of(buffer_.begin(), buffer_.end(), [](std::uint8_t octet) { return octet != flag; });
}

std::optional<HdlcFrame> HdlcDecoder::next() {
    auto at = buffer_.begin();
    std::optional<HdlcFrame> found;
    while (!found) {
        const auto noise_end = std::find(at, buffer_.end(), flag);
        if (noise_end != at && !std::exchange(in_noise_, true)) ++refused_;
        if (noise_end != buffer_.end()) in_noise_ = false;
        at = noise_end;
        while (buffer_.end() - at >= 2 && at[1] == flag) ++at;  // flags fill the time between frames
        const std::size_t available = static_cast<std::size_t>(buffer_.end() - at);
        if (available < 3) break;
        const std::size_t length = (static_cast<std::size_t>(at[1]) << 8U | at[2]) & 0x07FFU;
        const bool plausible = (at[1] & 0xF0U) == 0xA0U && length >= frame_length_min;
        if (plausible && available < length + 2) break;
        auto frame =
            plausible ? decode_hdlc(Bytes{&*at, length + 2}) : Result<HdlcFrame>{Error{Fault::bad_value, 1}};
        if (frame) {
            found = std::move(*frame);
            at += static_cast<std::ptrdiff_t>(length + 1);  // the closing flag may open the next frame
        } else {
            ++at;  // counted as noise up to the next flag
        }
    }
    buffer_.erase(buffer_.begin(), at);
    return found;
}

}  // namespace wattmesh::link
