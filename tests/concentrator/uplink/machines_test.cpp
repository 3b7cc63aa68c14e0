#include "concentrator/uplink/machines.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;
using link::TunnelReason;

namespace {

const Buffer hello_of_tls{0x16, 3, 1, 0, 5};

/// Machines at a concentrator, a head-end at the other end that says what the test says.
struct Attached {
    explicit Attached(bool up = true) { machines.set_uplink(up, now); }
    /// A machine's line of messages (`serial`) or of TCP.
    MachineLine line(bool serial) {
        const MachineLine id{++newest};
        machines.opened(id, serial, now);
        return id;
    }
    void say(MachineLine id, const link::TunnelMessage& message) {
        machines.received(id, link::encode_tunnel_line(message), now);
        look();
    }
    void say_tls(MachineLine id, Bytes octets) {
        machines.received(id, octets, now);
        look();
    }
    void head(const link::TunnelMessage& message) {
        machines.answered(link::encode_tunnel(message), now);
        look();
    }
    void wait(Duration time) {
        now.steady += time;
        machines.tick(now);
        look();
    }
    void look() {
        while (const auto payload = machines.take_payload())
            up.push_back(link::decode_tunnel(*payload).value());
        while (const auto action = machines.take_action()) {
            if (const auto* out = std::get_if<SendMachine>(&*action)) {
                auto& sent = down[out->line];
                sent.insert(sent.end(), out->bytes.begin(), out->bytes.end());
            }
            if (const auto* pause = std::get_if<PauseMachine>(&*action)) paused = pause->paused;
            if (const auto* close = std::get_if<CloseMachine>(&*action)) closed.push_back(close->line);
            if (const auto* note = std::get_if<Note>(&*action)) notes.push_back(note->text);
        }
    }
    std::vector<link::TunnelMessage> heard(MachineLine id) {
        link::TunnelLineDecoder decoder;
        decoder.feed(std::exchange(down[id], {}));
        std::vector<link::TunnelMessage> messages;
        while (auto message = decoder.next()) messages.push_back(*std::move(message));
        return messages;
    }
    std::vector<link::TunnelMessage> asked() { return std::exchange(up, {}); }
    using Talk = std::vector<link::TunnelMessage>;

    Now now{Instant{}, Instant{}, false};
    Machines machines;
    std::uint64_t newest = 0;
    Talk up;
    std::map<MachineLine, Buffer> down;
    std::vector<MachineLine> closed;
    std::vector<std::string> notes;
    bool paused = false;
};
using Talk = Attached::Talk;

}  // namespace

TEST_CASE("machines: a serial line's tunnel goes up under our name for it, and its octets as they are",
          "[concentrator]") {
    Attached at;
    const auto id = at.line(true);
    at.say(id, link::TunnelOpen{700, 8'192});
    CHECK(at.asked() == Talk{link::TunnelOpen{1, 8'192}});
    at.head(link::TunnelOpened{1, 8'192});
    CHECK(at.heard(id) == Talk{link::TunnelOpened{700, 8'192}});
    at.say(id, link::TunnelData{700, 0, hello_of_tls});
    at.say(id, link::TunnelCredit{700, 10'000});
    CHECK(at.asked() == Talk{link::TunnelData{1, 0, hello_of_tls}, link::TunnelCredit{1, 10'000}});
    at.head(link::TunnelData{1, 0, {1, 2, 3}});
    at.head(link::TunnelClose{1, TunnelReason::done});
    CHECK(at.heard(id) ==
          Talk{link::TunnelData{700, 0, {1, 2, 3}}, link::TunnelClose{700, TunnelReason::done}});
    CHECK(at.machines.counts().octets_up == 5);
    CHECK(at.machines.counts().octets_down == 3);
    at.say(id, link::TunnelData{700, 5, {9}});  // of a tunnel that is over
    CHECK(at.asked().empty());
    CHECK(at.machines.counts().stray == 1);
}

TEST_CASE("machines: who begins anew, or goes, leaves no tunnel behind", "[concentrator]") {
    Attached at;
    const auto id = at.line(true);
    at.say(id, link::TunnelOpen{7, 8'192});
    at.say(id, link::TunnelOpen{8, 8'192});  // it restarted
    CHECK(at.asked() == Talk{link::TunnelOpen{1, 8'192}, link::TunnelClose{1, TunnelReason::done},
                             link::TunnelOpen{2, 8'192}});
    at.machines.closed(id);
    at.look();
    CHECK(at.asked() == Talk{link::TunnelClose{2, TunnelReason::done}});
}

TEST_CASE("machines: without uplink a tunnel is refused at once, by name", "[concentrator]") {
    Attached at{false};
    const auto serial = at.line(true), tls = at.line(false);
    at.say(serial, link::TunnelOpen{7, 8'192});
    CHECK(at.heard(serial) == Talk{link::TunnelClose{7, TunnelReason::uplink_down}});
    at.say_tls(tls, hello_of_tls);
    CHECK(at.closed == std::vector{tls});
    CHECK(at.asked().empty());
    CHECK(at.machines.counts().refused == 2);
    CHECK(at.notes == std::vector<std::string>{"a vending machine is refused: uplink_down"});  // once
    at.machines.set_uplink(true, at.now);
    at.say(serial, link::TunnelOpen{8, 8'192});
    at.head(link::TunnelOpened{1, 8'192});
    at.heard(serial);
    at.machines.set_uplink(false, at.now);  // cut in the middle
    at.look();
    CHECK(at.heard(serial) == Talk{link::TunnelClose{8, TunnelReason::uplink_down}});
    at.asked();
    at.say(serial, link::TunnelData{8, 0, hello_of_tls});
    CHECK(at.asked().empty());
}

TEST_CASE("machines: a head-end that does not answer, or knows no machines", "[concentrator]") {
    Attached at;
    const auto serial = at.line(true);
    at.say(serial, link::TunnelOpen{7, 8'192});
    CHECK(at.machines.next_deadline() == at.now.steady + 60s);
    at.wait(60s);
    CHECK(at.heard(serial) == Talk{link::TunnelClose{7, TunnelReason::uplink_down}});
    CHECK(at.asked() == Talk{link::TunnelOpen{1, 8'192}, link::TunnelClose{1, TunnelReason::uplink_down}});
    at.say(serial, link::TunnelOpen{8, 8'192});
    at.head(link::TunnelClose{2, TunnelReason::not_configured});
    CHECK(at.heard(serial) == Talk{link::TunnelClose{8, TunnelReason::not_configured}});
    CHECK(at.machines.next_deadline() == Instant::max());
}

TEST_CASE("machines: what is not TLS goes nowhere", "[concentrator]") {
    Attached at;
    const auto serial = at.line(true), plain = at.line(false);
    const std::string request = "POST /api/vend/sales HTTP/1.1\r\nAuthorization: Bearer wm_secret\r\n\r\n";
    at.say(serial, link::TunnelOpen{7, 8'192});
    at.head(link::TunnelOpened{1, 8'192});
    at.asked();
    at.say(serial, link::TunnelData{7, 0, {request.begin(), request.end()}});
    CHECK(at.asked() == Talk{link::TunnelClose{1, TunnelReason::not_tls}});
    at.say_tls(plain, as_bytes(request));
    CHECK(at.asked().empty());
    CHECK(at.closed == std::vector{plain});
}

TEST_CASE("machines: no more tunnels, octets and silent lines than there may be", "[concentrator]") {
    Attached at;
    std::vector<MachineLine> lines;
    for (std::size_t i = 0; i <= Machines::tunnels_max; ++i) {
        lines.push_back(at.line(false));
        at.say(lines.back(), link::TunnelOpen{7, 8'192});
    }
    CHECK(at.heard(lines.back()) == Talk{link::TunnelClose{7, TunnelReason::busy}});
    CHECK(at.heard(lines[0]).empty());
    at.head(link::TunnelOpened{1, 8'192});
    at.say(lines[0], link::TunnelData{7, 0, hello_of_tls});
    at.asked();
    at.say(lines[0], link::TunnelData{7, 8'190, {1, 2, 3}});  // beyond what was allowed
    CHECK(at.asked() == Talk{link::TunnelClose{1, TunnelReason::line}});
    const auto silent = at.line(false);
    at.wait(59s);
    CHECK(at.closed.empty());
    at.wait(1s);
    CHECK(std::find(at.closed.begin(), at.closed.end(), silent) != at.closed.end());
    CHECK(std::find(at.closed.begin(), at.closed.end(), lines.back()) != at.closed.end());
}

TEST_CASE("machines: one that speaks TLS only is held back, not cut, and gets every octet",
          "[concentrator]") {
    Attached at;
    const auto id = at.line(false);
    at.say_tls(id, hello_of_tls);
    CHECK(at.asked() == Talk{link::TunnelOpen{1, link::tunnel_window}});
    at.say_tls(id, Buffer(20'000, 7));
    CHECK(at.paused);
    CHECK(at.asked().empty());
    at.head(link::TunnelOpened{1, link::tunnel_window});
    std::size_t got = 0;
    for (const auto& message : at.asked()) got += std::get<link::TunnelData>(message).octets.size();
    CHECK(got == link::tunnel_window);
    CHECK(at.paused);
    at.head(link::TunnelCredit{1, 2 * link::tunnel_window});
    CHECK_FALSE(at.paused);
    at.head(link::TunnelCredit{1, 3 * link::tunnel_window});
    for (const auto& message : at.asked()) got += std::get<link::TunnelData>(message).octets.size();
    CHECK(got == 20'005);
    Buffer sent;
    for (std::uint32_t i = 0; i < 20; ++i) {
        Buffer some(1'000, static_cast<std::uint8_t>(i));
        at.head(link::TunnelData{1, i * 1'000, some});
        sent.insert(sent.end(), some.begin(), some.end());
    }
    CHECK(at.down[id] == sent);
    std::uint32_t limit = 0;
    for (const auto& message : at.asked()) limit = std::get<link::TunnelCredit>(message).limit;
    CHECK(limit > 20'000);
    at.head(link::TunnelData{1, 21'000, {1}});  // a hole
    CHECK(at.closed == std::vector{id});
    CHECK(at.asked() == Talk{link::TunnelClose{1, TunnelReason::line}});
}
