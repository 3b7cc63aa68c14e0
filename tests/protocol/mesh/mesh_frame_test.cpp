#include <catch2/catch.hpp>

#include "protocol/mesh/frame.h"
#include "protocol/mesh/host_frame.h"
#include "protocol/mesh/host_stream.h"
#include "protocol/mesh/last_gasp.h"
#include "protocol/mesh/network.h"

using namespace wattmesh;
using namespace wattmesh::mesh;

namespace {

const DeviceNumber number = *DeviceNumber::parse("540000001234");

/// Every shorter piece is refused, one octet more is refused, the whole is read back.
template <class T, class Decode>
void check_codec(const T& value, Decode decode, std::size_t fixed_tail = 1) {
    const Buffer whole = encode(value);
    const auto back = decode(Bytes{whole});
    REQUIRE(back.has_value());
    CHECK(back.value() == value);
    if (fixed_tail == 0) return;
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(decode(Bytes{whole}.first(size)).has_value());
    Buffer longer = whole;
    longer.push_back(0);
    CHECK_FALSE(decode(Bytes{longer}).has_value());
}

}  // namespace

TEST_CASE("mesh frame: the CRC is X.25's", "[mesh]") {
    // Check value of CRC-16/X-25 in the catalogue of parametrised CRC algorithms (reveng): 906E for
    // "123456789".
    CHECK(crc16(as_bytes("123456789")) == 0x906E);
}

TEST_CASE("mesh frame: sizes and air time are those of the design", "[mesh]") {
    // Mesh design 2.1: MAC 20, network 9, PHY 12; 66 B on the air last 10.6 ms at 50 kbit/s and 52.8 ms at 10
    // kbit/s.
    CHECK(finish(encode_covered(MacFrame{.type = FrameType::data_up, .body = {}}), {}).size() ==
          mac_overhead);
    CHECK(airtime(66 - phy_overhead, PhyRate::kbit50) == Duration{10'560});
    CHECK(airtime(66 - phy_overhead, PhyRate::kbit10) == Duration{52'800});
    CHECK(encode(UpPacket{}).size() == network_overhead + 2);
    CHECK(encode(AckFrame{}).size() == ack_size);
}

TEST_CASE("mesh frame: header fields stand where the design puts them", "[mesh]") {
    const Buffer body{0xAA};
    const MacFrame frame{.type = FrameType::data_down,
                         .acknowledge_request = true,
                         .secured = true,
                         .sequence = 0x11,
                         .pan = 0x2233,
                         .destination = 0x4455,
                         .source = 0x6677,
                         .key = 1,
                         .counter = 0x8899AABB,
                         .body = body};
    CHECK(to_hex(encode_covered(frame)) ==
          "16031122334455667701"
          "8899AABB"
          "AA");
    MacFrame other = frame;
    other.key = 2;
    CHECK(to_hex(encode_covered(other)) == "160311223344556677028899AABBAA");
}

TEST_CASE("mesh frame: a MAC frame survives the way, a damaged one does not", "[mesh]") {
    const Buffer body{1, 2, 3, 4, 5};
    const MacFrame frame{.type = FrameType::link_report,
                         .acknowledge_request = true,
                         .secured = true,
                         .sequence = 7,
                         .pan = 9,
                         .destination = 1,
                         .source = 2,
                         .key = 2,
                         .counter = 3,
                         .body = body};
    const Buffer psdu = finish(encode_covered(frame), {1, 2, 3, 4});
    const auto back = decode_mac(psdu);
    REQUIRE(back);
    CHECK(back->frame.type == FrameType::link_report);
    CHECK(back->frame.counter == 3);
    CHECK(to_buffer(back->frame.body) == body);
    CHECK(back->mic == Mic{1, 2, 3, 4});
    for (std::size_t size = 0; size < psdu.size(); ++size)
        CHECK_FALSE(decode_mac(Bytes{psdu}.first(size)).has_value());
    for (std::size_t i = 0; i < psdu.size() * 8; ++i) {
        Buffer damaged = psdu;
        damaged[i / 8] = static_cast<std::uint8_t>(damaged[i / 8] ^ 1U << i % 8);
        CHECK_FALSE(decode_mac(damaged).has_value());
    }
    CHECK(back->frame.key == 2);
    for (const unsigned key : {0U, 3U, 255U}) {  // the octet after type, flags, sequence, PAN and addresses
        Buffer covered = encode_covered(frame);
        covered[9] = static_cast<std::uint8_t>(key);
        CHECK(decode_mac(finish(covered, {})).error().fault == Fault::bad_value);
    }
    CHECK(decode_mac(Buffer(300)).error().fault == Fault::too_long);
}

TEST_CASE("mesh frame: an ACK survives the way, a damaged one does not", "[mesh]") {
    const AckFrame ack{.sequence = 200,
                       .rssi_dbm = -101,
                       .acceptance = Acceptance::loop,
                       .hops = 5,
                       .secured = true,
                       .mic = {9, 8, 7, 6}};
    const Buffer psdu = encode(ack);
    const auto back = decode_ack(psdu);
    REQUIRE(back);
    CHECK(back->rssi_dbm == -101);
    CHECK(back->acceptance == Acceptance::loop);
    CHECK(back->hops == 5);
    for (std::size_t size = 0; size < psdu.size(); ++size)
        CHECK_FALSE(decode_ack(Bytes{psdu}.first(size)).has_value());
    Buffer damaged = psdu;
    damaged[3] ^= 1;
    CHECK_FALSE(decode_ack(damaged).has_value());
}

TEST_CASE("mesh network: every body is read back, no piece of it is", "[mesh]") {
    const LinkEntry near{.neighbour = 3, .rssi_dbm = -80, .etx_q4 = 17},
        far{.neighbour = 500, .rssi_dbm = -104, .etx_q4 = 0};
    check_codec(
        Beacon{
            .concentrator = number, .version = 3, .rank = 512, .hops = 4, .load = 1, .join_window_half_s = 9},
        decode_beacon);
    check_codec(Solicit{.attempt = 2}, decode_solicit);
    check_codec(LinkReport{.reattached = true, .version = 7, .links = {near, far}}, decode_link_report);
    check_codec(RouteError{.target = 9, .sequence = 10, .attempt = 3, .failed_hop = 11}, decode_route_error);
    check_codec(JoinRequest{.meter = number,
                            .counter = 5,
                            .nonce = {1, 2, 3, 4},
                            .capabilities = 0,
                            .neighbours = {{1, -70}, {2, -90}},
                            .mac = {1, 2, 3, 4, 5, 6, 7, 8}},
                decode_join_request);
    check_codec(JoinAccept{.meter = number,
                           .short_address = 6,
                           .version = 1,
                           .lease_min = 60,
                           .root_nonce = {4, 3, 2, 1},
                           .parents = {1, 2, 3},
                           .key_number = 258,
                           .wrapped_net_key = {},
                           .mac = {}},
                decode_join_accept);
    check_codec(KeyUpdate{.meter = number, .key_number = 2, .wrapped_net_key = {7}, .mac = {8}},
                decode_key_update);
    check_codec(LinkReport{.needs_key = true, .version = 7, .links = {near}}, decode_link_report);
    check_codec(LinkReport{.rival = DeviceNumber{{0x90, 0, 0, 0, 0, 2}}, .version = 7, .links = {near}},
                decode_link_report);
    check_codec(DarkList{.hops = 3, .parent = 4, .dark = {9, 2, 700}}, decode_dark_list);
    // these end in a payload of any length
    check_codec(DarkKnown{.dark = {5, 6, 13, 1'604}}, decode_dark_known, 0);
    check_codec(Answer{.links = {near}, .payload = {1, 2, 3}}, decode_answer, 0);
    check_codec(Answer{.links = std::vector<LinkEntry>(answer_links_max, near), .payload = {1}},
                decode_answer, 0);
    CHECK_FALSE(decode_answer(
        encode(Answer{.links = std::vector<LinkEntry>(answer_links_max + 1, near), .payload = {}})));
    check_codec(ForwardedJoin{.temporary_address = 0x8001, .rssi_dbm = -99, .request = {1, 2}},
                decode_forwarded_join, 0);
    const NetworkHeader header{.attempt = 5,
                               .priority = 4,
                               .detoured = true,
                               .destination = 7,
                               .source = 0,
                               .sequence = 65'535,
                               .time_to_live = 3};
    check_codec(UpPacket{.header = header, .rank = 700, .body = {1, 2, 3}}, decode_up, 0);
    check_codec(DownPacket{.header = header, .index = 1, .relays = {1, 2, 3}, .body = {1}}, decode_down, 0);
    for (std::size_t size = 0; size < 16; ++size)
        CHECK_FALSE(decode_down(Bytes{encode(DownPacket{
                                          .header = header, .index = 1, .relays = {1, 2, 3}, .body = {}})}
                                    .first(size))
                        .has_value());
}

TEST_CASE("mesh network: a set of the dark has one way to be written", "[mesh]") {
    CHECK(to_hex(encode(DarkKnown{.dark = {5, 6, 13}})) == "0005C080");  // 5 + bits 0, 1 and 8
    CHECK(encode(DarkKnown{}) == Buffer{0, 0});
    for (const char* hex : {"000540", "0005C000", "0005", "7FFFC0", "FFFF80"}) {
        INFO(hex);
        CHECK_FALSE(decode_dark_known(*from_hex(hex)).has_value());
    }
    Buffer wide(2 + dark_known_span / 8 + 1, 0x80);
    CHECK(decode_dark_known(wide).error().fault == Fault::too_long);
    CHECK_FALSE(decode_dark_list(Buffer{1, 0, 0, dark_list_max + 1}).has_value());
}

TEST_CASE("mesh network: counts and values out of range are refused", "[mesh]") {
    struct Row {
        const char* why;
        Fault fault;
        Result<DownPacket> result;
    };
    Buffer good = encode(DownPacket{.header = {}, .index = 0, .relays = {1}, .body = {}});
    Buffer index = good, version = good, priority = good;
    index[9] = 0x21;  // two relays passed of one
    version[0] = 0x80;
    priority[0] |= 7;
    CHECK(decode_down(index).error().fault == Fault::bad_value);
    CHECK(decode_down(version).error().fault == Fault::bad_version);
    CHECK(decode_down(priority).error().fault == Fault::bad_value);
    Buffer report = encode(LinkReport{});
    report.back() = 25;
    CHECK(decode_link_report(report).error().fault == Fault::too_long);
    Buffer request = encode(JoinRequest{});
    request[15] = 5;
    CHECK(decode_join_request(request).error().fault == Fault::too_long);
}

TEST_CASE("host frame: every message is read back, no piece of it is", "[mesh]") {
    using namespace host;
    const std::vector<Message> messages{
        Init{.concentrator = number,
             .pan = 4,
             .rate = PhyRate::kbit10,
             .channels = 3,
             .net_key = Key128{},
             .counter_start = 99,
             .key = 2},
        Key{.action = Key::Action::add, .key = 2, .net_key = Key128{{3}}, .counter_start = 7},
        Key{.action = Key::Action::use, .key = 2, .net_key = {}},
        Key{.action = Key::Action::forget, .key = 1, .net_key = {}},
        Tx{.handle = 1, .destination = 2, .type = FrameType::data_down, .secured = true, .body = {1, 2}},
        StatusRequest{},
        TxResult{.handle = 1, .outcome = TxOutcome::no_acknowledge, .tries = 4, .rssi_dbm = -90},
        Rx{.rssi_dbm = -70,
           .source = 3,
           .destination = 0,
           .type = FrameType::data_up,
           .secured = true,
           .body = {9}},
        Status{.initialised = true,
               .counter_next = 5,
               .frames_sent = 6,
               .frames_received = 7,
               .frames_refused = 8,
               .key = 1}};
    for (const auto& message : messages) {
        const Buffer payload = encode(message);
        const auto back = decode(payload);
        REQUIRE(back);
        CHECK(back->index() == message.index());
        CHECK(encode(*back) == payload);
        const bool open_end = std::holds_alternative<Tx>(message) || std::holds_alternative<Rx>(message);
        const std::size_t fixed =
            open_end ? payload.size() - (std::holds_alternative<Tx>(message) ? 2 : 1) : payload.size();
        for (std::size_t size = 0; size < fixed; ++size)
            CHECK_FALSE(decode(Bytes{payload}.first(size)).has_value());
    }
    CHECK(decode(Buffer{0x55}).error().fault == Fault::bad_tag);
    Buffer huge = encode(Message{Tx{.type = FrameType::data_down, .body = Buffer(frame_body_size_max)}});
    huge.push_back(0);
    CHECK(decode(huge).error().fault == Fault::too_long);
}

TEST_CASE("host stream: every chunking gives the same payloads, damage costs one frame", "[mesh]") {
    using namespace host;
    const Buffer first{1, 2, 3}, second(payload_size_max, 0xA5);
    Buffer stream = frame_stream(first);
    const Buffer tail = frame_stream(second);
    stream.insert(stream.end(), tail.begin(), tail.end());
    for (const std::size_t chunk : {1U, 2U, 3U, 7U, 1'000U}) {
        StreamDecoder decoder;
        std::vector<Buffer> payloads;
        for (std::size_t at = 0; at < stream.size(); at += chunk) {
            decoder.feed(Bytes{stream}.subspan(at, std::min(chunk, stream.size() - at)));
            while (auto payload = decoder.next()) payloads.push_back(*payload);
        }
        CHECK(payloads == std::vector<Buffer>{first, second});
        CHECK(decoder.faults() == 0);
    }
    Buffer damaged{0x00, 0xA5, 0xFF, 0xFF};  // noise and a length that cannot be
    const Buffer bad = frame_stream(Buffer{9, 9});
    damaged.insert(damaged.end(), bad.begin(), bad.end());
    damaged[8] ^= 1;
    damaged.insert(damaged.end(), stream.begin(), stream.end());
    StreamDecoder decoder;
    decoder.feed(damaged);
    CHECK(decoder.next() == first);
    CHECK(decoder.next() == second);
    CHECK(decoder.next() == std::nullopt);
    CHECK(decoder.faults() > 0);
}
