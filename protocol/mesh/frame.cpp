#include "protocol/mesh/frame.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh {
namespace {

constexpr std::uint8_t version = 1;  // upper half of the first octet
constexpr std::uint8_t flag_acknowledge_request = 0x01, flag_secured = 0x02;

constexpr std::array<std::uint16_t, 256> crc_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < 256; ++i) {
        unsigned value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0x8408U : value >> 1;
        table[i] = static_cast<std::uint16_t>(value);
    }
    return table;
}
constexpr auto crc_steps = crc_table();

constexpr unsigned type_of(std::uint8_t control, std::uint8_t flags) {
    return (control & 0x0FU) | (flags & 0xF0U);
}

}  // namespace

std::uint16_t crc16(Bytes bytes) {
    unsigned crc = 0xFFFF;
    for (const auto byte : bytes) crc = crc >> 8 ^ crc_steps[(crc ^ byte) & 0xFF];
    return static_cast<std::uint16_t>(~crc);
}

Buffer encode_covered(const MacFrame& frame) {
    Writer out;
    const auto type = static_cast<unsigned>(frame.type);
    out.u8(static_cast<std::uint8_t>(version << 4 | (type & 0x0F)));
    out.u8(static_cast<std::uint8_t>((type & 0xF0) |
                                     (frame.acknowledge_request ? flag_acknowledge_request : 0U) |
                                     (frame.secured ? flag_secured : 0U)));
    out.u8(frame.sequence).u16(frame.pan).u16(frame.destination).u16(frame.source);
    assert(!frame.secured || frame.key == 1 || frame.key == 2);
    out.u8(frame.secured ? frame.key : 0).u32(frame.counter);
    out.bytes(frame.body);
    return out.take();
}

Buffer finish(Buffer covered, const Mic& mic) {
    covered.insert(covered.end(), mic.begin(), mic.end());
    const auto fcs = crc16(covered);
    covered.push_back(static_cast<std::uint8_t>(fcs >> 8));
    covered.push_back(static_cast<std::uint8_t>(fcs));
    assert(covered.size() <= psdu_size_max);
    return covered;
}

std::optional<std::uint16_t> destination_of(Bytes psdu) {
    if (psdu.size() < mac_overhead) return std::nullopt;
    return static_cast<std::uint16_t>(psdu[5] << 8 | psdu[6]);  // after type, flags, sequence, PAN
}

Result<ReceivedFrame> decode_mac(Bytes psdu) {
    if (psdu.size() < mac_overhead) return Error{Fault::truncated, psdu.size()};
    if (psdu.size() > psdu_size_max) return Error{Fault::too_long, psdu_size_max};
    const auto end = psdu.size() - 2;
    if (crc16(psdu.first(end)) != (psdu[end] << 8 | psdu[end + 1])) return Error{Fault::bad_checksum, end};
    Reader in{psdu.first(end)};
    ReceivedFrame received;
    auto& frame = received.frame;
    const auto control = in.u8();
    if (control >> 4 != version) in.fail_at(Fault::bad_version, 0);
    const auto flags = in.u8();
    const auto type = type_of(control, flags);
    if (!is_frame_type(type)) in.fail_at(Fault::bad_tag, 0);
    frame.type = static_cast<FrameType>(type);
    if ((flags & 0x0F & ~(flag_acknowledge_request | flag_secured)) != 0) in.fail_at(Fault::bad_value, 1);
    frame.acknowledge_request = (flags & flag_acknowledge_request) != 0;
    frame.secured = (flags & flag_secured) != 0;
    frame.sequence = in.u8();
    frame.pan = in.u16();
    frame.destination = in.u16();
    frame.source = in.u16();
    frame.key = in.u8();
    if (frame.secured ? frame.key < 1 || frame.key > 2 : frame.key != 0) in.fail(Fault::bad_value);
    frame.counter = in.u32();
    frame.body = in.bytes(psdu.size() - mac_overhead);
    received.covered = psdu.first(in.position());
    received.mic = in.array<4>();
    in.expect_end();
    if (in.error()) return *in.error();
    return received;
}

Buffer encode(const AckFrame& ack) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(version << 4 | static_cast<unsigned>(FrameType::acknowledge)));
    out.u8(ack.secured ? flag_secured : 0).u8(ack.sequence).i8(ack.rssi_dbm);
    const unsigned hops = ack.hops > 63 ? 63 : ack.hops;
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(ack.acceptance) << 6 | hops));
    return finish(out.take(), ack.mic);
}

Result<AckFrame> decode_ack(Bytes psdu) {
    if (psdu.size() < ack_size) return Error{Fault::truncated, psdu.size()};
    if (psdu.size() > ack_size) return Error{Fault::trailing, ack_size};
    if (crc16(psdu.first(9)) != (psdu[9] << 8 | psdu[10])) return Error{Fault::bad_checksum, 9};
    Reader in{psdu};
    in.expect(version << 4 | static_cast<unsigned>(FrameType::acknowledge));
    AckFrame ack;
    const auto flags = in.u8();
    if ((flags & ~flag_secured) != 0) in.fail_at(Fault::bad_value, 1);
    ack.secured = flags == flag_secured;
    ack.sequence = in.u8();
    ack.rssi_dbm = in.i8();
    const auto state = in.u8();
    if (state >> 6 > static_cast<unsigned>(Acceptance::loop)) in.fail_at(Fault::bad_value, 4);
    ack.acceptance = static_cast<Acceptance>(state >> 6);
    ack.hops = state & 0x3F;
    ack.mic = in.array<4>();
    if (in.error()) return *in.error();
    return ack;
}

Buffer ack_covered(const AckFrame& ack, const MacFrame& frame, const Mic& mic) {
    Writer out;
    out.bytes(Bytes{encode(ack)}.first(5)).bytes(mic).u16(frame.source).u32(frame.counter);
    return out.take();
}

bool is_ack(Bytes psdu) {
    return !psdu.empty() && (psdu[0] & 0x0F) == static_cast<unsigned>(FrameType::acknowledge);
}

std::size_t type_index(Bytes psdu) {
    if (is_ack(psdu)) return static_cast<std::size_t>(FrameType::acknowledge);
    const auto type = psdu.size() < 2 ? 0U : type_of(psdu[0], psdu[1]);
    return is_frame_type(type) ? type : 0;
}

}  // namespace wattmesh::mesh
