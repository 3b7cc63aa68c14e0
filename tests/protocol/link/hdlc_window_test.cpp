// Windows above one. Frames with ids: dlms fact sheet 4 (Gurux); rules: ISO/IEC 13239, 5.6.
#include <catch2/catch.hpp>

#include "protocol/link/hdlc_link.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }
constexpr HdlcAddress client_address{.upper = 16}, server_address{.upper = 1};

HdlcLink::Config config(HdlcLink::Role role, std::uint8_t window, std::uint16_t size = 128) {
    HdlcLink::Config made;
    made.role = role;
    made.own = role == HdlcLink::Role::client ? client_address : server_address;
    made.peer = server_address;
    made.window_send_max = made.window_receive_max = window;
    made.information_send_max = made.information_receive_max = size;
    return made;
}
HdlcLink client(std::uint8_t window, std::uint16_t size = 128) {
    return HdlcLink{config(HdlcLink::Role::client, window, size)};
}
HdlcLink server(std::uint8_t window, std::uint16_t size = 128) {
    return HdlcLink{config(HdlcLink::Role::server, window, size)};
}

/// Controls of all frames that wait, as hexadecimal: "00 12".
std::string controls(HdlcLink& link) {
    std::string text;
    while (const auto out = link.take_output())
        text += (text.empty() ? "" : " ") + to_hex(Bytes{{decode_hdlc(*out).value().control}});
    return text;
}
void from_server(HdlcLink& link, std::uint8_t control, const char* information = "", bool segmented = false) {
    link.feed(encode_hdlc({.destination = client_address,
                           .source = server_address,
                           .control = control,
                           .segmented = segmented,
                           .information = hex(information)}));
}
void from_client(HdlcLink& link, std::uint8_t control, const char* information = "", bool segmented = false) {
    link.feed(encode_hdlc({.destination = server_address,
                           .source = client_address,
                           .control = control,
                           .segmented = segmented,
                           .information = hex(information)}));
}
/// A client with window 3 whose link is up.
HdlcLink open_client(std::uint8_t window = 3) {
    HdlcLink link = client(window, 16);
    link.open();
    CHECK(controls(link) == "93");
    from_server(link, 0x73,
                window == 3   ? "818012050110060110070400000003080400000003"
                : window == 7 ? "818012050110060110070400000007080400000007"
                              : "");
    REQUIRE(link.state() == HdlcLink::State::open);
    return link;
}
HdlcLink open_server() {
    HdlcLink link = server(3, 16);
    from_client(link, 0x93, "818012050110060110070400000003080400000003");
    CHECK(controls(link) == "73");
    return link;
}
Buffer numbered(std::size_t size, std::size_t seed = 0) {
    Buffer out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed * 31 + i * 7 + i / 256);
    return out;
}

}  // namespace

TEST_CASE("hdlc: windows and sizes are negotiated down to what both can", "[link]") {
    HdlcLink three = server(3);
    three.feed(hex(vector::snrm_w3));
    CHECK(three.agreed() == HdlcParameters{128, 128, 3, 3});
    const auto ua = decode_hdlc(three.take_output().value()).value();
    CHECK(to_hex(ua.information) == "818012050180060180070400000003080400000003");

    HdlcLink seven = server(7);
    seven.feed(hex(vector::snrm_w3));
    CHECK(seven.agreed().send_window == 3);
    HdlcLink one = server(7);
    one.feed(hex(vector::snrm_1));  // says nothing: window 1
    CHECK(to_hex(one.take_output().value()) == vector::ua_1);
    CHECK(one.agreed() == HdlcParameters{});
    HdlcLink narrow = server(1, 64);
    narrow.feed(hex(vector::snrm_1));  // says nothing, but must hear that 128 is too much
    CHECK(decode_hdlc(narrow.take_output().value()).value().information.size() == 21);

    HdlcLink near = client(7, 2'030), far = server(5, 300);
    near.open();
    far.feed(near.take_output().value());
    near.feed(far.take_output().value());
    CHECK(near.agreed() == HdlcParameters{300, 300, 5, 5});
    CHECK(far.agreed() == near.agreed());
    CHECK(near.counters().wrong_parameters == 0);

    HdlcLink odd = server(3);
    from_client(odd, 0x93, "818003070109");
    CHECK(odd.agreed() == HdlcParameters{128, 128, 1, 1});
    CHECK(odd.counters().wrong_parameters == 1);
}

TEST_CASE("hdlc: SNRM-4, a server with a two-octet address answers from it, others do not", "[link]") {
    HdlcLink seventeen{{.role = HdlcLink::Role::server, .own = {.upper = 1, .lower = 17}}},
        eighteen{{.role = HdlcLink::Role::server, .own = {.upper = 1, .lower = 18}}};
    seventeen.feed(hex(vector::snrm_4));
    const auto ua = decode_hdlc(seventeen.take_output().value()).value();
    CHECK(ua.source == HdlcAddress{.upper = 1, .lower = 17});
    CHECK(ua.destination == client_address);
    eighteen.feed(hex(vector::snrm_4));
    CHECK_FALSE(eighteen.take_output());
    CHECK(eighteen.counters().foreign_frames == 1);
    // "Calling device", four octets, and the client nobody is.
    const HdlcAddress calling{.upper = 1, .lower = 0x3FFE, .wide = true};
    eighteen.feed(encode_hdlc({.destination = calling, .source = client_address, .control = 0x93}));
    CHECK(decode_hdlc(eighteen.take_output().value()).value().source == calling);
    eighteen.feed(encode_hdlc({.destination = calling, .source = {.upper = 0}, .control = 0x93}));
    CHECK_FALSE(eighteen.take_output());
    CHECK(eighteen.counters().foreign_frames == 2);
}

TEST_CASE("hdlc client: only the last frame of a window polls, and the window moves with N(R)", "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(numbered(16 * 5 - 3));
    CHECK(controls(link) == "00 02 14");
    from_server(link, 0x71);  // RR 3
    CHECK(controls(link) == "06 18");
    from_server(link, 0xB0, "E6E700AB");
    CHECK(link.take_apdu() == hex("AB"));
    CHECK(controls(link).empty());
    CHECK(link.counters().retransmitted == 0);
}

TEST_CASE("hdlc client: the lost part of a window goes out again, from N(R) on", "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(numbered(16 * 3 - 3));
    CHECK(controls(link) == "00 02 14");
    SECTION("the second was lost") {
        from_server(link, 0x31);  // RR 1
        CHECK(controls(link) == "02 14");
        CHECK(link.counters().retransmitted == 2);
    }
    SECTION("the first was lost: told by the answer to `repeat`, which sends the last once more") {
        from_server(link, 0x11);  // RR 0
        CHECK(controls(link).empty());
        CHECK(link.repeat());
        CHECK(controls(link) == "14");
        from_server(link, 0x11);
        CHECK(controls(link) == "00 02 14");
    }
    SECTION("the answer was lost") {
        CHECK(link.repeat());
        CHECK(controls(link) == "14");
        from_server(link, 0x70, "E6E700AB");
        CHECK(link.take_apdu() == hex("AB"));
        CHECK(controls(link).empty());
    }
    SECTION("REJ 1, though DLMS does not use it") {
        from_server(link, 0x39);
        CHECK(controls(link) == "02 14");
        CHECK(link.counters().rejected == 1);
    }
    SECTION("a server that acknowledges every frame, which only the last one asked for") {
        from_server(link, 0x31);
        from_server(link, 0x51);
        from_server(link, 0x71);
        CHECK(controls(link).empty());
        from_server(link, 0x70, "E6E700AB");
        CHECK(link.take_apdu());
    }
}

TEST_CASE("hdlc client: a window of the server is acknowledged once, with a hole from the hole on",
          "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(hex("C0"));
    CHECK(controls(link) == "10");
    from_server(link, 0x20, "E6E70001", true);
    SECTION("whole") {
        from_server(link, 0x22, "02", true);
        from_server(link, 0x34, "03", true);
        CHECK(controls(link) == "71");
        from_server(link, 0x36, "04");
        CHECK(link.take_apdu() == hex("01020304"));
        CHECK(controls(link).empty());
    }
    SECTION("a peer that sets F in every frame") {
        from_server(link, 0x32, "02", true);
        CHECK(controls(link) == "51");
        from_server(link, 0x34, "03", true);
        CHECK(controls(link) == "71");
        from_server(link, 0x36, "04");
        CHECK(link.take_apdu() == hex("01020304"));
    }
    SECTION("the second lost") {
        from_server(link, 0x34, "03", true);
        CHECK(controls(link) == "31");
        CHECK(link.counters().out_of_sequence == 1);
        from_server(link, 0x22, "02", true);
        from_server(link, 0x34, "03");
        CHECK(link.take_apdu() == hex("010203"));
    }
    SECTION("the last lost") {
        from_server(link, 0x22, "02", true);
        CHECK(controls(link).empty());
        CHECK(link.repeat());
        CHECK(controls(link) == "51");
        from_server(link, 0x34, "03");
        CHECK(link.take_apdu() == hex("010203"));
    }
    SECTION("the window comes twice: the second time nobody asks again") {
        from_server(link, 0x22, "02", true);
        from_server(link, 0x34, "03", true);
        CHECK(controls(link) == "71");
        from_server(link, 0x20, "E6E70001", true);
        from_server(link, 0x22, "02", true);
        from_server(link, 0x34, "03", true);
        CHECK(controls(link).empty());
        CHECK(link.counters().repeated == 3);
        from_server(link, 0x36, "04");
        CHECK(link.take_apdu() == hex("01020304"));
    }
}

TEST_CASE("hdlc client: a busy server (RNR) is left alone and asked by `repeat`", "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(numbered(16 * 3 - 3));
    CHECK(controls(link) == "00 02 14");
    from_server(link, 0x35);  // RNR 1
    CHECK(controls(link).empty());
    CHECK(link.repeat());
    CHECK(controls(link) == "11");
    from_server(link, 0x31);
    CHECK(controls(link) == "02 14");
}

TEST_CASE("hdlc client: DM and FRMR close the link", "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(hex("C0"));
    CHECK(controls(link) == "10");
    from_server(link, GENERATE(as<std::uint8_t>{}, 0x1F, 0x0F, 0x97, 0x87));
    CHECK(link.state() == HdlcLink::State::closed);
    CHECK_FALSE(link.take_output());
}

TEST_CASE("hdlc client: a server that never answers costs repeats_max repetitions, then the link", "[link]") {
    HdlcLink link = open_client();
    link.send_apdu(hex("C0"));
    CHECK(controls(link) == "10");
    for (int i = 0; i < 3; ++i) {
        CHECK(link.repeat());
        CHECK(controls(link) == "10");
    }
    CHECK_FALSE(link.repeat());
    CHECK(link.state() == HdlcLink::State::closed);
    CHECK(link.counters().given_up == 1);
}

TEST_CASE("hdlc server: a window is answered when it polls, and its holes are named", "[link]") {
    HdlcLink link = open_server();
    from_client(link, 0x00, "E6E60001", true);
    CHECK(controls(link).empty());
    SECTION("whole: the answer may wait for the owner") {
        from_client(link, 0x02, "02", true);
        from_client(link, 0x14, "03");
        CHECK(controls(link).empty());
        CHECK(link.take_apdu() == hex("010203"));
        link.send_apdu(numbered(16 * 4 - 3));
        CHECK(controls(link) == "60 62 74");
        from_client(link, 0x71);
        CHECK(controls(link) == "76");
    }
    SECTION("cut into two windows") {
        from_client(link, 0x02, "02", true);
        from_client(link, 0x14, "03", true);
        CHECK(controls(link) == "71");
    }
    SECTION("every frame polls") {
        from_client(link, 0x12, "02", true);
        CHECK(controls(link) == "51");
        from_client(link, 0x14, "03");
        CHECK(link.take_apdu() == hex("010203"));
    }
    SECTION("the second lost") {
        from_client(link, 0x14, "03");
        CHECK(controls(link) == "31");
        from_client(link, 0x02, "02", true);
        from_client(link, 0x14, "03");
        CHECK(link.take_apdu() == hex("010203"));
    }
    SECTION("the client lost a part of the answer") {
        from_client(link, 0x12, "02");
        REQUIRE(link.take_apdu());
        link.send_apdu(numbered(16 * 3 - 3));
        CHECK(controls(link) == "40 42 54");
        from_client(link, 0x31);
        CHECK(controls(link) == "42 54");
        from_client(link, 0x71);
        CHECK(controls(link) == "51");  // polled, and nothing to say
        CHECK(link.counters().retransmitted == 2);
    }
    SECTION("the client asks again while the owner works") {
        from_client(link, 0x12, "02");
        REQUIRE(link.take_apdu());
        from_client(link, 0x12, "02");
        CHECK(controls(link).empty());
        link.send_apdu(hex("C4"));
        CHECK(controls(link) == "50");
    }
    SECTION("RNR: nothing but RR until the client is ready") {
        from_client(link, 0x12, "02");
        link.send_apdu(hex("C4"));
        from_client(link, 0x15);
        CHECK(controls(link) == "51");
        from_client(link, 0x11);
        CHECK(controls(link) == "50");
    }
}

TEST_CASE("hdlc server: says RNR while nobody takes its APDUs, and goes on after it", "[link]") {
    auto made = config(HdlcLink::Role::server, 1);
    made.apdus_waiting_max = 1;
    HdlcLink link{made};
    link.feed(hex(vector::snrm_1));
    CHECK(controls(link) == "73");
    from_client(link, 0x10, "E6E60001");
    from_client(link, 0x12, "E6E60002");
    CHECK(controls(link) == "35");
    CHECK(link.counters().overflowed == 1);
    REQUIRE(link.take_apdu() == hex("01"));
    from_client(link, 0x11);
    CHECK(controls(link) == "31");
    from_client(link, 0x12, "E6E60002");
    CHECK(link.take_apdu() == hex("02"));
}

TEST_CASE("hdlc: what cannot be sent is refused at once, what should not come is counted", "[link]") {
    auto made = config(HdlcLink::Role::client, 1);
    made.apdu_size_max = 100;
    made.sends_waiting_max = 2;
    HdlcLink link{made};
    CHECK_FALSE(link.send_apdu(numbered(101)));
    CHECK_FALSE(link.send_ui(numbered(101), server_address));
    CHECK(link.send_apdu(numbered(100)));
    CHECK(link.send_apdu(numbered(100)));
    CHECK_FALSE(link.send_apdu(numbered(100)));
    CHECK(link.counters().oversized == 2);
    CHECK(link.counters().overflowed == 1);
    link.open();
    from_server(link, 0x73);
    from_server(link, 0x73);  // once is enough
    from_server(link, 0x0D);  // SREJ
    from_server(link, 0x51);  // RR 2 of nothing
    CHECK(link.counters().refused_frames == 2);
    CHECK(link.counters().wrong_acknowledgements == 1);
    CHECK(link.state() == HdlcLink::State::open);
}

TEST_CASE("hdlc: several APDUs of a server share a window (blocks that stream)", "[link]") {
    HdlcLink near = client(3), far = server(3);
    near.open();
    far.feed(near.take_output().value());
    near.feed(far.take_output().value());
    near.send_apdu(hex("E0"));
    far.feed(near.take_output().value());
    REQUIRE(far.take_apdu());
    for (std::uint8_t i = 1; i <= 3; ++i) far.send_apdu(Buffer{0xE0, i});
    while (const auto out = far.take_output()) near.feed(*out);
    for (std::uint8_t i = 1; i <= 3; ++i) CHECK(near.take_apdu() == Buffer{0xE0, i});
    far.send_apdu(hex("E004"));
    CHECK_FALSE(far.take_output());  // not its turn
    near.poll();
    far.feed(near.take_output().value());
    near.feed(far.take_output().value());
    CHECK(near.take_apdu() == hex("E004"));
}

}  // namespace wattmesh::link
