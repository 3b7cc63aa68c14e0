#include "protocol/mesh/network.h"

#include <cassert>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh {
namespace {

constexpr std::uint8_t network_version = 1;

void put(Writer& out, const NetworkHeader& header) {
    // ctl: version 2 bits, attempt 3, priority 3; then flags
    out.u8(
        static_cast<std::uint8_t>(network_version << 6 | (header.attempt & 7) << 3 | (header.priority & 7)));
    out.u8(header.detoured ? 1 : 0);
    out.u16(header.destination).u16(header.source).u16(header.sequence).u8(header.time_to_live);
}

NetworkHeader get_header(Reader& in) {
    NetworkHeader header;
    const auto control = in.u8();
    if (control >> 6 != network_version) in.fail_at(Fault::bad_version, in.position() - (in.ok() ? 1 : 0));
    header.attempt = control >> 3 & 7;
    header.priority = control & 7;
    if (header.priority > 4) in.fail(Fault::bad_value);
    const auto flags = in.u8();
    if (flags > 1) in.fail(Fault::bad_value);
    header.detoured = flags == 1;
    header.destination = in.u16();
    header.source = in.u16();
    header.sequence = in.u16();
    header.time_to_live = in.u8();
    return header;
}

constexpr std::uint8_t floor_follows = 0x80;  // in the count of an answer's links

void put(Writer& out, const std::vector<LinkEntry>& links, std::uint8_t flags = 0) {
    out.u8(static_cast<std::uint8_t>(links.size() | flags));
    for (const auto& link : links) out.u16(link.neighbour).i8(link.rssi_dbm).u8(link.etx_q4);
}

std::size_t get_count(Reader& in, std::size_t count_max) {
    const std::size_t count = in.u8();
    if (count > count_max) in.fail(Fault::too_long);
    return in.ok() ? count : 0;
}

std::vector<LinkEntry> get_links(Reader& in, std::size_t count, std::size_t count_max) {
    if (count > count_max) in.fail(Fault::too_long);
    std::vector<LinkEntry> links(in.ok() ? count : 0);
    for (auto& link : links) {
        link.neighbour = in.u16();
        link.rssi_dbm = in.i8();
        link.etx_q4 = in.u8();
    }
    return links;
}

template <class T>
Result<T> finished(Reader& in, T value) {
    in.expect_end();
    if (in.error()) return *in.error();
    return value;
}

}  // namespace

Buffer encode(const DownPacket& packet) {
    assert(packet.relays.size() <= relays_max);
    Writer out;
    put(out, packet.header);
    out.u8(static_cast<std::uint8_t>(packet.index << 4 | packet.relays.size()));
    for (const auto relay : packet.relays) out.u16(relay);
    out.bytes(packet.body);
    return out.take();
}

Result<DownPacket> decode_down(Bytes body) {
    Reader in{body};
    DownPacket packet;
    packet.header = get_header(in);
    const auto route = in.u8();
    packet.index = route >> 4;
    const std::size_t count = route & 0x0F;
    if (count > relays_max || packet.index > count) in.fail(Fault::bad_value);
    for (std::size_t i = 0; i < count && in.ok(); ++i) packet.relays.push_back(in.u16());
    packet.body = to_buffer(in.rest());
    if (in.error()) return *in.error();
    return packet;
}

Buffer encode(const UpPacket& packet) {
    Writer out;
    put(out, packet.header);
    out.u16(packet.rank).bytes(packet.body);
    return out.take();
}

Result<UpPacket> decode_up(Bytes body) {
    Reader in{body};
    UpPacket packet;
    packet.header = get_header(in);
    packet.rank = in.u16();
    packet.body = to_buffer(in.rest());
    if (in.error()) return *in.error();
    return packet;
}

Buffer encode(const Beacon& beacon) {
    Writer out;
    out.bytes(beacon.concentrator.bcd).u16(beacon.version).u16(beacon.rank).u8(beacon.hops);
    out.u8(beacon.load).u8(beacon.join_window_half_s);
    return out.take();
}

Result<Beacon> decode_beacon(Bytes body) {
    Reader in{body};
    Beacon beacon;
    beacon.concentrator.bcd = in.array<6>();
    beacon.version = in.u16();
    beacon.rank = in.u16();
    beacon.hops = in.u8();
    beacon.load = in.u8();
    beacon.join_window_half_s = in.u8();
    return finished(in, beacon);
}

Buffer encode(const Solicit& solicit) { return {solicit.attempt}; }

Result<Solicit> decode_solicit(Bytes body) {
    Reader in{body};
    const Solicit solicit{.attempt = in.u8()};
    return finished(in, solicit);
}

Buffer encode(const Answer& answer) {
    Writer out;
    put(out, answer.links, answer.floor ? floor_follows : std::uint8_t{0});
    if (answer.floor) out.u16(*answer.floor);
    out.bytes(answer.payload);
    return out.take();
}

Result<Answer> decode_answer(Bytes body) {
    Reader in{body};
    Answer answer;
    const auto count = in.u8();
    answer.links = get_links(in, count & ~floor_follows & 0xFF, answer_links_max);
    if ((count & floor_follows) != 0) answer.floor = in.u16();
    answer.payload = to_buffer(in.rest());
    return finished(in, std::move(answer));
}

Buffer encode(const LinkReport& report) {
    Writer out;
    out.u8(static_cast<std::uint8_t>((report.reattached ? 1 : 0) | (report.needs_key ? 2 : 0) |
                                     (report.rival ? 4 : 0) | (report.floor ? 8 : 0)))
        .u16(report.version);
    if (report.rival) out.bytes(report.rival->bcd);
    if (report.floor) out.u16(*report.floor);
    put(out, report.links);
    return out.take();
}

Result<LinkReport> decode_link_report(Bytes body) {
    Reader in{body};
    LinkReport report;
    const auto flags = in.u8();
    if (flags > 15) in.fail_at(Fault::bad_value, 0);
    report.reattached = (flags & 1) != 0;
    report.needs_key = (flags & 2) != 0;
    report.version = in.u16();
    if ((flags & 4) != 0) report.rival = DeviceNumber{in.array<6>()};
    if ((flags & 8) != 0) report.floor = in.u16();
    report.links = get_links(in, in.u8(), 24);
    return finished(in, std::move(report));
}

Buffer encode(const RouteError& error) {
    Writer out;
    out.u16(error.target).u16(error.sequence).u8(error.attempt).u16(error.failed_hop);
    return out.take();
}

Result<RouteError> decode_route_error(Bytes body) {
    Reader in{body};
    RouteError error;
    error.target = in.u16();
    error.sequence = in.u16();
    error.attempt = in.u8();
    if (error.attempt > 7) in.fail(Fault::bad_value);
    error.failed_hop = in.u16();
    return finished(in, error);
}

Buffer encode(const JoinRequest& request) {
    assert(request.neighbours.size() <= 4);
    Writer out;
    out.bytes(request.meter.bcd).u32(request.counter).bytes(request.nonce).u8(request.capabilities);
    out.u8(static_cast<std::uint8_t>(request.neighbours.size()));
    for (const auto& neighbour : request.neighbours) out.u16(neighbour.address).i8(neighbour.rssi_dbm);
    out.bytes(request.mac);
    return out.take();
}

Result<JoinRequest> decode_join_request(Bytes body) {
    Reader in{body};
    JoinRequest request;
    request.meter.bcd = in.array<6>();
    request.counter = in.u32();
    request.nonce = in.array<4>();
    request.capabilities = in.u8();
    request.neighbours.resize(get_count(in, 4));
    for (auto& neighbour : request.neighbours) {
        neighbour.address = in.u16();
        neighbour.rssi_dbm = in.i8();
    }
    request.mac = in.array<8>();
    return finished(in, std::move(request));
}

Buffer encode(const ForwardedJoin& join) {
    Writer out;
    out.u16(join.temporary_address).i8(join.rssi_dbm).bytes(join.request);
    return out.take();
}

Result<ForwardedJoin> decode_forwarded_join(Bytes body) {
    Reader in{body};
    ForwardedJoin join;
    join.temporary_address = in.u16();
    join.rssi_dbm = in.i8();
    join.request = to_buffer(in.rest());
    return finished(in, std::move(join));
}

Buffer encode(const JoinAccept& accept) {
    assert(accept.parents.size() <= 4);
    Writer out;
    out.bytes(accept.meter.bcd).u16(accept.short_address).u16(accept.version).u16(accept.lease_min);
    out.bytes(accept.root_nonce).u8(static_cast<std::uint8_t>(accept.parents.size()));
    for (const auto parent : accept.parents) out.u16(parent);
    out.u16(accept.key_number).bytes(accept.wrapped_net_key).bytes(accept.mac);
    return out.take();
}

Buffer encode(const KeyUpdate& update) {
    Writer out;
    out.bytes(update.meter.bcd)
        .u16(update.key_number)
        .u16(update.overlap_s)
        .bytes(update.wrapped_net_key)
        .bytes(update.mac);
    return out.take();
}

Result<KeyUpdate> decode_key_update(Bytes body) {
    Reader in{body};
    KeyUpdate update;
    update.meter.bcd = in.array<6>();
    update.key_number = in.u16();
    update.overlap_s = in.u16();
    update.wrapped_net_key = in.array<24>();
    update.mac = in.array<8>();
    return finished(in, std::move(update));
}

Result<JoinAccept> decode_join_accept(Bytes body) {
    Reader in{body};
    JoinAccept accept;
    accept.meter.bcd = in.array<6>();
    accept.short_address = in.u16();
    accept.version = in.u16();
    accept.lease_min = in.u16();
    accept.root_nonce = in.array<4>();
    accept.parents.resize(get_count(in, 4));
    for (auto& parent : accept.parents) parent = in.u16();
    accept.key_number = in.u16();
    accept.wrapped_net_key = in.array<24>();
    accept.mac = in.array<8>();
    return finished(in, std::move(accept));
}

}  // namespace wattmesh::mesh
