#include "tests/conformance/layer.h"

#include <catch2/catch.hpp>

#include "protocol/base/id.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/mbus.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::conformance {

namespace {

using namespace link;

/// Calls `feed` with pieces of 1, 2, 3, ... octets.
void in_pieces(Bytes octets, const std::function<void(Bytes)>& feed) {
    for (std::size_t at = 0, size = 1; at < octets.size(); at += size, ++size) {
        size = std::min(size, octets.size() - at);
        feed(octets.subspan(at, size));
    }
}

class WrapperStream final : public Layer {
public:
    std::vector<Buffer> to_server(Bytes apdu) override { return through(up_, {{1}, {2}, to_buffer(apdu)}); }
    std::vector<Buffer> to_client(Bytes apdu) override { return through(down_, {{2}, {1}, to_buffer(apdu)}); }

private:
    static std::vector<Buffer> through(WrapperDecoder& decoder, const WrapperFrame& frame) {
        in_pieces(encode_wrapper(frame), [&](Bytes piece) { decoder.feed(piece); });
        std::vector<Buffer> out;
        while (auto arrived = decoder.next()) {
            CHECK(arrived->source == frame.source);
            out.push_back(std::move(arrived->payload));
        }
        CHECK_FALSE(decoder.partial());
        return out;
    }
    WrapperDecoder up_, down_;
};

class WrapperDatagram final : public Layer {
public:
    std::vector<Buffer> to_server(Bytes apdu) override { return through({{1}, {2}, to_buffer(apdu)}); }
    std::vector<Buffer> to_client(Bytes apdu) override { return through({{2}, {1}, to_buffer(apdu)}); }

private:
    static std::vector<Buffer> through(const WrapperFrame& frame) {
        const auto arrived = decode_wrapper_datagram(encode_wrapper(frame));
        REQUIRE(arrived);
        return {arrived->payload};
    }
};

/// The prefix to a meter behind a gateway, in wrapper PDUs.
class Gateway final : public Layer {
public:
    std::vector<Buffer> to_server(Bytes apdu) override { return through(apdu, false); }
    std::vector<Buffer> to_client(Bytes apdu) override { return through(apdu, true); }

private:
    std::vector<Buffer> through(Bytes apdu, bool response) {
        const Buffer address{0x54, 0, 0, 0, 0, 1};
        const Buffer prefixed = encode_gateway({response, 3, address, to_buffer(apdu)});
        std::vector<Buffer> out;
        for (const auto& payload : response ? wrapper_.to_client(prefixed) : wrapper_.to_server(prefixed)) {
            const auto frame = decode_gateway(payload);
            REQUIRE(frame);
            CHECK(frame->address == address);
            CHECK(frame->response == response);
            out.push_back(frame->apdu);
        }
        return out;
    }
    WrapperStream wrapper_;
};

class Hdlc final : public Layer {
public:
    Hdlc(HdlcAddress meter, std::uint8_t window, std::uint16_t information)
        : client_(config(HdlcLink::Role::client, {.upper = 16}, meter, window, information)),
          server_(config(HdlcLink::Role::server, meter, {}, window, information)) {
        client_.open();
        settle();
        REQUIRE(client_.state() == HdlcLink::State::open);
    }
    std::vector<Buffer> to_server(Bytes apdu) override {
        REQUIRE(client_.send_apdu(apdu));
        settle();
        return taken(server_);
    }
    std::vector<Buffer> to_client(Bytes apdu) override {
        REQUIRE(server_.send_apdu(apdu));
        client_.poll();
        settle();
        return taken(client_);
    }

    void no_answer() override {
        server_.poll();
        settle();
    }

private:
    static HdlcLink::Config config(HdlcLink::Role role, HdlcAddress own, HdlcAddress peer,
                                   std::uint8_t window, std::uint16_t information) {
        HdlcLink::Config made;
        made.role = role;
        made.own = own;
        made.peer = peer;
        made.window_send_max = made.window_receive_max = window;
        made.information_send_max = made.information_receive_max = information;
        return made;
    }
    void settle() {
        for (bool moved = true; moved;) {
            moved = false;
            for (auto [from, to] : {std::pair{&client_, &server_}, std::pair{&server_, &client_}})
                while (const auto octets = from->take_output()) {
                    in_pieces(*octets, [target = to](Bytes piece) { target->feed(piece); });
                    moved = true;
                }
        }
    }
    static std::vector<Buffer> taken(HdlcLink& link) {
        std::vector<Buffer> out;
        while (auto apdu = link.take_apdu()) out.push_back(std::move(*apdu));
        return out;
    }
    HdlcLink client_, server_;
};

template <class Made, class... Arguments>
LayerKind kind(std::string name, Arguments... arguments) {
    return {std::move(name), [=] { return std::make_unique<Made>(arguments...); }};
}

std::vector<Buffer> push_over_hdlc(Bytes apdu, std::size_t information) {
    HdlcPushReceiver receiver{{}};
    const HdlcPush push{{.upper = 103}, {.upper = 1, .lower = 17}, to_buffer(apdu)};
    std::vector<Buffer> out;
    for (const auto& frame : encode_hdlc_push(push, true, information))
        in_pieces(frame, [&](Bytes piece) { receiver.feed(piece, Instant{}); });
    while (auto arrived = receiver.take()) out.push_back(std::move(arrived->apdu));
    return out;
}

std::vector<Buffer> push_over_mbus(Bytes apdu) {
    MbusPushReceiver receiver{{}};
    std::vector<Buffer> out;
    for (const auto& frame : encode_mbus_push({.apdu = to_buffer(apdu)}, 245))
        in_pieces(frame, [&](Bytes piece) { receiver.feed(piece, Instant{}); });
    while (auto arrived = receiver.take()) out.push_back(std::move(arrived->apdu));
    return out;
}

}  // namespace

const std::vector<LayerKind>& layers() {
    static const HdlcAddress short_address{.upper = 1}, two_octets{.upper = 1, .lower = 17},
        four_octets{.upper = 1, .lower = 17, .wide = true};
    static const std::vector<LayerKind> all{
        kind<WrapperStream>("wrapper on TCP"),
        kind<WrapperDatagram>("wrapper on UDP"),
        kind<Gateway>("gateway prefix"),
        kind<Hdlc>("HDLC, 1-octet address, window 1, 128 octets", short_address, std::uint8_t{1},
                   std::uint16_t{128}),
        kind<Hdlc>("HDLC, 2-octet address, window 3, 64 octets", two_octets, std::uint8_t{3},
                   std::uint16_t{64}),
        kind<Hdlc>("HDLC, 4-octet address, window 7, 2030 octets", four_octets, std::uint8_t{7},
                   std::uint16_t{2030}),
    };
    return all;
}

const std::vector<OneWayKind>& one_way_layers() {
    static const std::vector<OneWayKind> all{
        {"wrapper on TCP", [](Bytes apdu) { return WrapperStream{}.to_client(apdu); }},
        {"wrapper on UDP", [](Bytes apdu) { return WrapperDatagram{}.to_client(apdu); }},
        {"HDLC UI frames, whole", [](Bytes apdu) { return push_over_hdlc(apdu, 2'030); }},
        {"HDLC UI frames, segmented", [](Bytes apdu) { return push_over_hdlc(apdu, 40); }},
        {"M-Bus", push_over_mbus},
    };
    return all;
}

}  // namespace wattmesh::conformance
