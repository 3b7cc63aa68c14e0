// Bytes with ids: dlms fact sheet 4; HDLC-PUSH: Iskra AM550, heads of the L+G series: uplink fact sheet 4.
#include <catch2/catch.hpp>

#include "protocol/link/hdlc_link.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

using namespace std::chrono_literals;
constexpr Instant start{1'000s};

Buffer hex(std::string_view text) { return from_hex(text).value(); }

HdlcPushReceiver receiver(bool take_unconnected = false, std::size_t apdu_size_max = 2'000) {
    return HdlcPushReceiver{
        {.assembly = {.apdu_size_max = apdu_size_max, .take_unconnected = take_unconnected},
         .waiting_max = 4}};
}

/// Addresses of the AM550 capture: client 103, meter 1/17.
const HdlcAddress customer{.upper = 103}, am550{.upper = 1, .lower = 17};

/// A frame as the AM550 sends it: 03 and the segmentation bit in all but the last.
Buffer segment(const char* information, bool last) {
    return encode_hdlc({.destination = customer,
                        .source = am550,
                        .control = static_cast<std::uint8_t>(last ? 0x13 : 0x03),
                        .segmented = !last,
                        .information = hex(information)});
}

}  // namespace

TEST_CASE("hdlc push: UI-DN gives the APDU and both addresses, at every chunking", "[link]") {
    const Buffer bytes = hex(vector::ui_dn);
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        CAPTURE(size);
        auto line = receiver();
        for (std::size_t at = 0; at < bytes.size(); at += size)
            line.feed(Bytes{bytes}.subspan(at, std::min(size, bytes.size() - at)), start);
        const auto push = line.take();
        REQUIRE(push);
        CHECK(to_hex(push->apdu) == "0F40000000000101020309060100010700FF060000016F02020F00161B");
        CHECK(push->destination.upper == 0x20);
        CHECK_FALSE(line.take());
    }
}

TEST_CASE("hdlc push: a truncated frame gives nothing, whatever is missing", "[link]") {
    const Buffer bytes = hex(vector::ui_dn);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        auto line = receiver();
        line.feed(Bytes{bytes}.first(size), start);
        REQUIRE_FALSE(line.take());
    }
}

TEST_CASE("hdlc push: Kaifa's I frame without a connection counts, and is a push only where settings say so",
          "[link]") {
    const bool taken = GENERATE(false, true);
    auto line = receiver(taken);
    line.feed(hex(vector::ui_kaifa), start);
    const auto push = line.take();
    CHECK(push.has_value() == taken);
    CHECK(line.counters().unconnected == 1);
    if (push) {
        CHECK(to_hex(push->apdu).substr(0, 14) == "0F40000000090C");
        CHECK(push->source == HdlcAddress{.upper = 1, .lower = 0});
    }
}

TEST_CASE("hdlc push: Landis+Gyr blocks without LLC header are taken as blocks", "[link]") {
    auto line = receiver();
    line.feed(hex(vector::ui_lg_gbt1), start);
    const auto first = line.take();
    REQUIRE(first);
    CHECK(to_hex(first->apdu).substr(0, 32) == "E04000010000700F007C83D30C07EA07");
    CHECK(first->apdu.size() == 0x70 + 7);
    // The second and the last block of the series: only their heads are published, so the data is filled up.
    for (const char* head : {"E040000200007A", "E0C0000300002C"}) {
        Buffer block = hex(head);
        block.resize(7 + block[6]);
        line.feed(encode_hdlc({.destination = first->destination,
                               .source = first->source,
                               .control = 0x13,
                               .information = block}),
                  start);
        const auto next = line.take();
        REQUIRE(next);
        CHECK(next->apdu == block);
    }
    CHECK(line.counters().refused_frames == 0);
    line.feed(encode_hdlc({.destination = first->destination,
                           .source = first->source,
                           .control = 0x13,
                           .information = hex("C401C1000600001391")}),
              start);
    CHECK_FALSE(line.take());  // no LLC header and no block
    CHECK(line.counters().refused_frames == 1);
}

TEST_CASE("hdlc push: segments of an AM550 become one APDU, the captured last one closes it", "[link]") {
    auto line = receiver();
    line.feed(segment("E6E7000F0000", false), start);
    line.feed(segment("0102030405", false), start + 100ms);
    CHECK_FALSE(line.take());
    line.feed(hex(vector::am550_push), start + 200ms);
    const auto push = line.take();
    REQUIRE(push);
    CHECK(push->destination == customer);
    CHECK(push->source == am550);
    CHECK(to_hex(push->apdu).substr(0, 24) == "0F0000010203040531F00600");
    CHECK(push->apdu.size() == 3 + 5 + 35);
}

TEST_CASE("hdlc push: a set with a hole is dropped and counted, the next one is whole", "[link]") {
    auto line = receiver();
    SECTION("the first segment is missing") {
        line.feed(segment("0102", false), start);
        line.feed(segment("03", true), start);
        CHECK(line.counters().refused_frames == 2);
    }
    SECTION("the last segment is missing") { line.feed(segment("E6E7000F01", false), start); }
    SECTION("the rest comes too late") {
        line.feed(segment("E6E7000F01", false), start - 10s);
        line.feed(segment("02", true), start - 7s);
        CHECK(line.counters().broken_sets == 1);
    }
    SECTION("another meter speaks in between") {
        line.feed(segment("E6E7000F01", false), start);
        line.feed(encode_hdlc({.destination = customer,
                               .source = {.upper = 1, .lower = 18},
                               .control = 0x13,
                               .information = hex("E6E7000F02")}),
                  start);
        CHECK(line.take()->apdu == hex("0F02"));
        line.feed(segment("02", true), start);
        CHECK(line.counters().broken_sets == 1);
    }
    CHECK_FALSE(line.take());
    line.feed(segment("E6E7000F", false), start);
    line.feed(segment("AA", true), start);
    CHECK(line.take()->apdu == hex("0FAA"));
    CHECK(line.counters().broken_sets + line.counters().refused_frames >= 1);
}

TEST_CASE("hdlc push: APDU size and the number that wait are bounded and counted", "[link]") {
    auto line = receiver(false, 6);
    line.feed(segment("E6E7000F010203", false), start);
    line.feed(segment("040506", true), start);
    CHECK_FALSE(line.take());
    CHECK(line.counters().oversized == 1);
    for (int i = 0; i < 6; ++i) line.feed(segment("E6E7000F0102", true), start);
    CHECK(line.counters().overflowed == 2);
    int taken = 0;
    while (line.take()) ++taken;
    CHECK(taken == 4);
}

TEST_CASE("hdlc push: what we send has header, controls and segmentation bit as the AM550's", "[link]") {
    const HdlcPush push{customer, am550, hex("0F0001020304")};
    const auto frames = encode_hdlc_push(push, true, 5);
    REQUIRE(frames.size() == 2);
    CHECK(to_hex(frames[0]) == to_hex(segment("E6E7000F00", false)));
    CHECK(to_hex(frames[1]) == to_hex(segment("01020304", true)));
    CHECK(encode_hdlc_push({{.upper = 0x20, .lower = 0x41}, {.upper = 1}, hex("0F")}, true, 128).size() == 1);
    auto line = receiver();
    for (const auto& frame : frames) line.feed(frame, start);
    CHECK(line.take() == push);
}

TEST_CASE("hdlc link: pushes and broadcasts pass beside the connection", "[link]") {
    HdlcLink client{{.own = {.upper = 16}, .peer = {.upper = 1}, .pushes_waiting_max = 2}},
        server{{.role = HdlcLink::Role::server, .own = {.upper = 1, .lower = 17}}};
    CHECK(server.send_ui(hex("0F00"), {.upper = 16}));
    client.feed(server.take_output().value());
    CHECK(client.take_push()->apdu == hex("0F00"));
    CHECK(client.send_ui(hex("C1AA"), {.upper = 0x7F}));  // to all stations
    server.feed(client.take_output().value());
    const auto broadcast = server.take_push();
    REQUIRE(broadcast);
    CHECK(broadcast->source.upper == 16);
    CHECK(broadcast->apdu == hex("C1AA"));
    CHECK_FALSE(server.take_output());  // nobody answers a broadcast
    CHECK(client.send_ui(hex("C1AB"), {.upper = 1, .lower = 0x7F}));
    server.feed(client.take_output().value());
    CHECK(server.take_push());
    CHECK(client.send_ui(hex("C1AC"), {.upper = 1, .lower = 18}));
    server.feed(client.take_output().value());
    CHECK_FALSE(server.take_push());
    CHECK(server.counters().foreign_frames == 1);
    for (int i = 0; i < 3; ++i) {
        server.send_ui(hex("0F00"), {.upper = 16});
        client.feed(server.take_output().value());
    }
    CHECK(client.counters().overflowed == 1);
    // An SNRM to all stations is nobody's.
    server.feed(encode_hdlc({.destination = {.upper = 0x7F}, .source = {.upper = 16}, .control = 0x93}));
    CHECK_FALSE(server.take_output());
    CHECK(server.state() == HdlcLink::State::closed);
}

TEST_CASE("hdlc link: Kaifa's frame before a connection is a push where settings say so", "[link]") {
    HdlcLink closed{{.own = {.upper = 16}, .peer = {.upper = 1}}},
        tolerant{{.own = {.upper = 16}, .peer = {.upper = 1}, .take_unconnected = true}};
    closed.feed(hex(vector::ui_kaifa));
    tolerant.feed(hex(vector::ui_kaifa));
    CHECK_FALSE(closed.take_push());
    CHECK(closed.counters().foreign_frames == 1);
    CHECK(tolerant.take_push());
}

}  // namespace wattmesh::link
