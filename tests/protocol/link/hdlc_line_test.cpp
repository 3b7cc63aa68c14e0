// A client link against a server link over bad lines: chance comes from a seed that a failure prints.
#include <catch2/catch.hpp>
#include <random>

#include "protocol/link/hdlc_link.h"

namespace wattmesh::link {
namespace {

HdlcLink::Config config(HdlcLink::Role role, std::uint8_t window, std::uint16_t size) {
    HdlcLink::Config made;
    made.role = role;
    made.own.upper = role == HdlcLink::Role::client ? 16 : 1;
    made.peer.upper = 1;
    made.window_send_max = made.window_receive_max = window;
    made.information_send_max = made.information_receive_max = size;
    return made;
}
HdlcLink client(std::uint8_t window, std::uint16_t size) {
    return HdlcLink{config(HdlcLink::Role::client, window, size)};
}
HdlcLink server(std::uint8_t window, std::uint16_t size) {
    return HdlcLink{config(HdlcLink::Role::server, window, size)};
}

Buffer numbered(std::size_t size, std::size_t seed = 0) {
    Buffer out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed * 31 + i * 7 + i / 256);
    return out;
}

/// A line that loses, repeats and damages frames, and delivers them in pieces; chance comes from a seed.
struct Line {
    std::mt19937 chance;
    unsigned lost_percent, repeated_percent, damaged_percent;
    std::size_t frames = 0;

    unsigned percent() { return static_cast<unsigned>(chance() % 100); }
    bool carry(HdlcLink& from, HdlcLink& to) {
        bool moved = false;
        while (auto out = from.take_output()) {
            moved = true;
            ++frames;
            if (percent() < lost_percent) continue;
            if (percent() < damaged_percent) (*out)[chance() % out->size()] ^= 0x10;
            for (int copies = percent() < repeated_percent ? 2 : 1; copies > 0; --copies) {
                for (std::size_t at = 0; at < out->size();) {
                    const std::size_t size = std::min<std::size_t>(out->size() - at, 1 + chance() % 200);
                    to.feed(Bytes{*out}.subspan(at, size));
                    at += size;
                }
            }
        }
        return moved;
    }
};

}  // namespace

TEST_CASE("hdlc: over a bad line APDUs arrive once and in order, or the link fails visibly", "[link]") {
    const auto window = GENERATE(as<std::uint8_t>{}, 1, 2, 3, 4, 5, 6, 7);
    const auto size = GENERATE(as<std::uint16_t>{}, 32, 128, 500, 2'030);
    const auto seed = GENERATE(1U, 2U, 3U);
    CAPTURE(window, size, seed);
    Line line{std::mt19937{seed * 1'000 + window * 10 + size}, 7, 3, 3};
    auto near_config = config(HdlcLink::Role::client, window, size);
    near_config.repeats_max = 12;
    HdlcLink near{near_config}, far = server(7, size);
    near.open();
    constexpr std::size_t rounds = 12;
    const auto request = [](std::size_t i) { return numbered(1 + i * 137 % 900, i); };
    const auto answer = [](std::size_t i) { return numbered(1 + i * 1'733 % 4'000, i + 100); };
    std::size_t asked = 0, answered = 0, done = 0;
    near.send_apdu(request(asked++));
    int silences = 0;
    while (done < rounds && near.counters().given_up == 0) {
        REQUIRE(++silences < 5'000);
        bool moved = line.carry(near, far);
        while (const auto apdu = far.take_apdu()) {
            REQUIRE(answered < asked);
            REQUIRE(*apdu == request(answered));
            far.send_apdu(answer(answered++));
        }
        moved = line.carry(far, near) || moved;
        while (const auto apdu = near.take_apdu()) {
            REQUIRE(done < answered);
            REQUIRE(*apdu == answer(done++));
            if (asked < rounds) near.send_apdu(request(asked++));
        }
        if (!moved) {
            near.drop_partial();
            far.drop_partial();
            near.repeat();
        }
    }
    CHECK(done == rounds);  // with these seeds no link is given up
    CHECK(near.counters().wrong_acknowledgements + far.counters().wrong_acknowledgements < line.frames / 4);
}

TEST_CASE("hdlc: on a line that is dead in one direction the link fails visibly", "[link]") {
    HdlcLink near = client(3, 64), far = server(3, 64);
    Line good{std::mt19937{1}, 0, 0, 0}, dead{std::mt19937{1}, 100, 0, 0};
    near.open();
    good.carry(near, far);
    good.carry(far, near);
    near.send_apdu(numbered(1'000));
    int repeats = 0;
    bool going = true;
    while (going) {
        good.carry(near, far);
        dead.carry(far, near);
        going = near.repeat();
        ++repeats;
    }
    CHECK(repeats == 4);
    CHECK(near.state() == HdlcLink::State::closed);
    CHECK(near.counters().given_up == 1);
}

}  // namespace wattmesh::link
