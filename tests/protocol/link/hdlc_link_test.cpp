// Bytes with ids: dlms fact sheet 4 (Gurux).
#include <catch2/catch.hpp>

#include "protocol/link/hdlc_link.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

HdlcLink make_client(std::uint16_t size = 128) {
    return HdlcLink{{.role = HdlcLink::Role::client,
                     .own = {.upper = 16},
                     .peer = {.upper = 1},
                     .information_send_max = size,
                     .information_receive_max = size}};
}
HdlcLink make_server(std::uint16_t size = 128) {
    return HdlcLink{{.role = HdlcLink::Role::server,
                     .own = {.upper = 1},
                     .information_send_max = size,
                     .information_receive_max = size}};
}
Buffer hex(std::string_view text) { return from_hex(text).value(); }

/// The single frame that is waiting.
std::string only_output(HdlcLink& link) {
    const auto first = link.take_output();
    REQUIRE(first);
    CHECK_FALSE(link.take_output());
    return to_hex(*first);
}

/// Carries frames both ways until both are quiet; returns how many.
int settle(HdlcLink& a, HdlcLink& b) {
    int frames = 0;
    for (bool moved = true; moved;) {
        moved = false;
        while (const auto out = a.take_output()) {
            b.feed(*out);
            moved = true;
            ++frames;
        }
        while (const auto out = b.take_output()) {
            a.feed(*out);
            moved = true;
            ++frames;
        }
        REQUIRE(frames < 10'000);
    }
    return frames;
}

Buffer numbered(std::size_t size) {
    Buffer out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return out;
}

}  // namespace

TEST_CASE("hdlc client: link, question, answer, release, octet by octet as the vectors", "[link]") {
    HdlcLink link = make_client();
    link.open();
    CHECK(only_output(link) == vector::snrm_1);
    CHECK(link.state() == HdlcLink::State::opening);
    link.send_apdu(hex("601DA109060760857405080101BE10040E01000000065F1F0400401E5DFFFF"));
    CHECK_FALSE(link.take_output());  // waits for the link
    link.feed(hex(vector::ua_2));
    CHECK(only_output(link) == vector::i_aarq);
    link.feed(hex(vector::i_aare));
    CHECK(to_hex(link.take_apdu().value()).substr(0, 4) == "612E");
    link.send_apdu(hex("C001C100070100630100FF0300"));
    CHECK(only_output(link) == vector::i_get);
    link.feed(hex(vector::i_getr));
    CHECK(to_hex(link.take_apdu().value()).substr(0, 8) == "C401C100");
    link.close();
    CHECK(only_output(link) == vector::disc_1);
    link.feed(hex(vector::ua_1));
    CHECK(link.state() == HdlcLink::State::closed);
}

TEST_CASE("hdlc server: answers the vectors' client and follows its address", "[link]") {
    HdlcLink link = make_server();
    link.feed(hex(vector::i_get));
    CHECK(only_output(link) == vector::dm_1);  // no link yet
    link.feed(hex(vector::snrm_1));
    CHECK(only_output(link) == vector::ua_1);
    CHECK(link.peer().upper == 16);
    CHECK(link.established() == 1);
    link.feed(hex(vector::snrm_w3));
    CHECK(only_output(link) == vector::ua_2);  // window 1 is all we offer
    link.feed(hex(vector::i_aarq));
    REQUIRE(link.take_apdu());
    link.send_apdu(hex(
        "612EA109060760857405080101A203020100A305A103020100A703020100BE10040E0800065F1F0400401E5D04000007"));
    CHECK(only_output(link) == vector::i_aare);
    link.feed(hex(vector::disc_1));
    CHECK(only_output(link) == vector::ua_1);
    CHECK(link.state() == HdlcLink::State::closed);
}

TEST_CASE("hdlc client: a segmented answer is acknowledged part by part", "[link]") {
    HdlcLink link = make_client();
    link.open();
    link.feed(hex(vector::ua_1));
    // Two exchanges before, so that the numbers are those of the capture: SEG-1 has N(S)=2, N(R)=3.
    const HdlcAddress client{.upper = 16}, server{.upper = 1};
    for (unsigned i = 0; i < 3; ++i) {
        link.send_apdu(hex("C001C100070100630100FF0300"));
        while (link.take_output()) {
        }
        if (i < 2)
            link.feed(encode_hdlc({.destination = client,
                                   .source = server,
                                   .control = hdlc_control::information(i, i + 1),
                                   .information = hex("E6E70000")}));
    }
    while (link.take_apdu()) {
    }
    link.feed(hex(vector::seg_1));
    CHECK(only_output(link) == vector::rr_3);
    CHECK_FALSE(link.take_apdu());
    link.feed(hex(vector::seg_2));
    CHECK_FALSE(link.take_output());
    const Buffer apdu = link.take_apdu().value();
    CHECK(apdu.size() == 125 + 101 - 3);
    CHECK(to_hex(apdu).substr(0, 8) == "C402C101");
}

TEST_CASE("hdlc: long APDUs travel both ways whatever the frame sizes", "[link]") {
    const auto size = GENERATE(as<std::size_t>{}, 1, 13, 125, 126, 250, 1'000, 5'000);
    const auto frame_size = GENERATE(as<std::uint16_t>{}, 16, 128, 300, 2'030);
    CAPTURE(size, frame_size);
    HdlcLink client = make_client(2'030), server = make_server(frame_size);
    client.open();
    for (int round = 0; round < 5; ++round) {
        client.send_apdu(numbered(size));
        settle(client, server);
        CHECK(server.take_apdu() == numbered(size));
        server.send_apdu(numbered(size + 1));
        settle(client, server);
        CHECK(client.take_apdu() == numbered(size + 1));
    }
    CHECK(client.counters().repeated == 0);
}

TEST_CASE("hdlc: any one lost frame is made good by the client's repetition", "[link]") {
    int lost = 0;
    for (bool dropped = true; dropped; ++lost) {
        CAPTURE(lost);
        dropped = false;
        HdlcLink client = make_client(), server = make_server();
        client.open();
        client.send_apdu(numbered(400));
        int at = 0, answers = 0;
        for (int quiet = 0; quiet < 3;) {
            bool moved = false;
            const auto carry = [&](HdlcLink& from, HdlcLink& to) {
                while (const auto out = from.take_output()) {
                    moved = true;
                    if (at++ == lost) {
                        dropped = true;
                        continue;
                    }
                    to.feed(*out);
                }
            };
            carry(client, server);
            if (const auto apdu = server.take_apdu()) {
                CHECK(*apdu == numbered(400));
                ++answers;
                server.send_apdu(numbered(500));
            }
            carry(server, client);
            if (!moved) {
                if (client.take_apdu() == numbered(500)) break;
                client.repeat();
                ++quiet;
            }
        }
        CHECK(answers == 1);
        CHECK_FALSE(client.take_apdu());
    }
    CHECK(lost > 10);
}

TEST_CASE("hdlc server: another client's frames are foreign until its own SNRM", "[link]") {
    HdlcLink link = make_server();
    link.feed(hex(vector::snrm_1));
    while (link.take_output()) {
    }
    const HdlcFrame other{
        .destination = {.upper = 1}, .source = {.upper = 2}, .control = 0x10, .information = hex("E6E600C0")};
    link.feed(encode_hdlc(other));
    CHECK_FALSE(link.take_output());
    CHECK(link.counters().foreign_frames == 1);
    link.feed(encode_hdlc({.destination = {.upper = 9}, .source = {.upper = 16}, .control = 0x93}));
    CHECK_FALSE(link.take_output());
    link.feed(encode_hdlc({.destination = {.upper = 1}, .source = {.upper = 2}, .control = 0x93}));
    CHECK(link.peer().upper == 2);
    CHECK(link.established() == 2);
}

TEST_CASE("hdlc: a message beyond the bound or without LLC is dropped and counted", "[link]") {
    HdlcLink client = make_client(),
             server{{.role = HdlcLink::Role::server, .own = {.upper = 1}, .apdu_size_max = 300}};
    client.open();
    client.send_apdu(numbered(301));
    settle(client, server);
    CHECK_FALSE(server.take_apdu());
    CHECK(server.counters().oversized >= 1);
    client.reset();
    client.open();
    client.send_apdu(numbered(300));
    settle(client, server);
    CHECK(server.take_apdu() == numbered(300));
    server.feed(hex(vector::snrm_1));
    server.feed(encode_hdlc(
        {.destination = {.upper = 1}, .source = {.upper = 16}, .control = 0x10, .information = hex("C0")}));
    CHECK_FALSE(server.take_apdu());
    CHECK(server.counters().refused_frames == 1);
}

}  // namespace wattmesh::link
