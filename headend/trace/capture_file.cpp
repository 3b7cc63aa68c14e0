#include "headend/trace/capture_file.h"

#include <algorithm>
#include <ostream>

#include "protocol/base/writer.h"

namespace wattmesh::headend::trace {
namespace {

constexpr std::uint16_t first_device_port = 20'000, device_ports = 40'000;
constexpr std::uint32_t headend_address = 0x0A'FF'FF'01;
constexpr std::size_t ip_head = 20, tcp_head = 20, segment_max = 16'384;
constexpr std::uint32_t raw_ip = 101;

std::uint16_t headend_port(link::Carried carries) {
    switch (carries) {
        case link::Carried::wrapper:
            return 4'059;  // dlms-cosem, IANA
        case link::Carried::modbus_tcp:
            return 502;
        case link::Carried::modbus_rtu:
            return 10'502;  // none has a number: Wireshark shows octets, or what "Decode As" says
        case link::Carried::gdw376:
            return 10'376;
    }
    return 0;
}

/// 10.x.y.z of the number, the head-end's net left out; 10.254.0.1 while the number is not known.
std::uint32_t device_address(const std::optional<DeviceNumber>& device) {
    if (!device) return 0x0A'FE'00'01;
    return 0x0A'00'00'00 | static_cast<std::uint32_t>(device->integer() % 0xFD'FF'FF);
}

/// Blocks of pcapng: type, length, body, length; here in big-endian order, as the section's head says.
void write_block(std::ostream& out, std::uint32_t type, Bytes body) {
    Writer block;
    const auto size = static_cast<std::uint32_t>(12 + body.size());
    block.u32(type).u32(size).bytes(body).u32(size);
    const Buffer octets = block.take();
    out.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
}

void pad(Writer& out) {
    while (out.size() % 4 != 0) out.u8(0);
}

void add_option(Writer& out, std::uint16_t code, Bytes value) {
    out.u16(code).u16(static_cast<std::uint16_t>(value.size())).bytes(value);
    pad(out);
}

std::uint16_t ip_checksum(Bytes head) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < head.size(); i += 2)
        sum += static_cast<std::uint32_t>(head[i] << 8U | head[i + 1]);
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16U);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

CaptureFile::CaptureFile(std::ostream& out) : out_(out) {
    constexpr std::uint32_t section_head = 0x0A0D0D0A, interface_description = 1;
    Writer section;
    section.u32(0x1A2B3C4D).u16(1).u16(0).u64(~std::uint64_t{0});  // version 1.0, length not given
    add_option(section, 4, as_bytes("wattmesh headend trace"));    // shb_userappl
    section.u32(0);
    write_block(out_, section_head, section.view());
    Writer interface;
    interface.u16(raw_ip).u16(0).u32(0);                             // no limit of our own
    add_option(interface, 2, as_bytes("front-end, inside of TLS"));  // if_name
    interface.u32(0);
    write_block(out_, interface_description, interface.view());
}

CaptureFile::Stream& CaptureFile::stream_of(const Found& found) {
    const auto [at, fresh] = streams_.try_emplace({found.process, found.record.link});
    if (fresh)
        at->second.port =
            static_cast<std::uint16_t>(first_device_port + (streams_.size() - 1) % device_ports);
    return at->second;
}

void CaptureFile::add(const Found& found) {
    const Record& record = found.record;
    Stream& stream = stream_of(found);
    if (!record.is_frame())
        return segment(record, stream, {}, 0,
                       std::string{to_string(record.kind)} + ": " + std::string{record.words()});
    std::uint32_t& sequence = record.kind == Record::Kind::received ? stream.to_us : stream.to_device;
    // IP packets hold 64 KiB; what was cut off when it was kept is missing at the end of the last segment.
    for (std::size_t at = 0; at == 0 || at < record.content.size(); at += segment_max) {
        const Bytes content =
            Bytes{record.content}.subspan(at, std::min(segment_max, record.content.size() - at));
        const bool last = at + content.size() == record.content.size();
        const std::size_t wire = last ? std::min<std::size_t>(record.size - at, 60'000) : content.size();
        segment(record, stream, content, std::max(wire, content.size()), {});
        sequence += static_cast<std::uint32_t>(last ? record.size - at : content.size());
    }
}

/// `wire_size` >= content: how long the segment was.
void CaptureFile::segment(const Record& record, Stream& stream, Bytes content, std::size_t wire_size,
                          const std::string& comment) {
    constexpr std::uint32_t enhanced_packet = 6;
    constexpr std::uint8_t tcp = 6, push_and_acknowledge = 0x18, header_words = 5 << 4;
    const bool inbound = record.kind == Record::Kind::received || record.kind == Record::Kind::opened;
    const std::uint32_t device = device_address(record.device);
    const std::uint16_t ours = headend_port(record.carries);
    Writer ip;
    ip.u8(0x45).u8(0).u16(static_cast<std::uint16_t>(ip_head + tcp_head + wire_size));
    ip.u32(0x4000).u8(64).u8(tcp).u16(0);  // not fragmented
    ip.u32(inbound ? device : headend_address).u32(inbound ? headend_address : device);
    ip.patch_u16(10, ip_checksum(ip.view()));
    ip.u16(inbound ? stream.port : ours).u16(inbound ? ours : stream.port);
    ip.u32(inbound ? stream.to_us : stream.to_device).u32(inbound ? stream.to_device : stream.to_us);
    ip.u8(header_words).u8(push_and_acknowledge).u16(0xFFFF).u32(0);  // checksum 0: Wireshark does not ask
    Writer packet;
    const auto at = static_cast<std::uint64_t>(epoch_us(record.at));
    const auto captured = static_cast<std::uint32_t>(ip_head + tcp_head + content.size());
    packet.u32(0).u64(at).u32(captured).u32(static_cast<std::uint32_t>(ip_head + tcp_head + wire_size));
    packet.bytes(ip.view()).bytes(content);
    pad(packet);
    if (!comment.empty()) {
        add_option(packet, 1, as_bytes(comment));
        packet.u32(0);
    }
    write_block(out_, enhanced_packet, packet.view());
}

}  // namespace wattmesh::headend::trace
