#include "protocol/iec104/link.h"

#include <catch2/catch.hpp>
#include <random>

#include "protocol/iec104/asdu.h"
#include "tests/protocol/iec104/vectors.h"

using namespace wattmesh;
using namespace wattmesh::iec104;
using namespace std::chrono;

namespace {

const Instant noon = sys_days{year{2026} / November / 23} + 12h;

Buffer frames(std::initializer_list<Unnumbered> functions) {
    Buffer out;
    for (const auto function : functions) encode_unnumbered(function, out);
    return out;
}
Buffer supervisory(std::uint16_t received) {
    Buffer out;
    encode_supervisory(received, out);
    return out;
}
Buffer information(std::uint16_t sent, std::uint16_t received) {
    Buffer out;
    encode_information(sent, received, vector("asdu GI con"), out);
    return out;
}

/// Feeds and handles everything; the number of ASDUs that came.
int hear(Link& link, Bytes octets, Instant now = noon) {
    int asdus = 0;
    link.feed(octets);
    while (link.next(now)) ++asdus;
    return asdus;
}

Link started(const LinkSettings& settings = {}) {
    Link link{Side::controlled, settings, noon};
    hear(link, frames({Unnumbered::start_activate}));
    CHECK(to_hex(link.take()) == to_hex(vector("frame STARTDT con")));
    return link;
}

}  // namespace

TEST_CASE("iec104 link: sends k frames and waits for an acknowledgement", "[iec104]") {
    auto link = started();
    for (int i = 0; i < 12; ++i) {
        REQUIRE(link.ready());
        link.send(vector("asdu GI con"), noon);
    }
    CHECK_FALSE(link.ready());
    hear(link, supervisory(5));
    CHECK(link.ready());
    CHECK(link.acknowledged() == 5);
    CHECK(link.unacknowledged() == 7);
    hear(link, supervisory(5));  // twice is no fault
    CHECK_FALSE(link.fault());
    hear(link, supervisory(13));  // 12 were sent
    CHECK(link.fault() == LinkFault::sequence);
}

TEST_CASE("iec104 link: acknowledges after w frames, or after t2", "[iec104]") {
    auto link = started();
    for (std::uint16_t i = 0; i < 7; ++i) CHECK(hear(link, information(i, 0)) == 1);
    CHECK(link.take().empty());
    CHECK(hear(link, information(7, 0)) == 1);
    CHECK(to_hex(link.take()) == to_hex(supervisory(8)));
    CHECK(hear(link, information(8, 0), noon + 1s) == 1);
    CHECK(link.wake() == noon + 11s);
    link.tick(noon + 10s);
    CHECK(link.take().empty());
    link.tick(noon + 11s);
    CHECK(to_hex(link.take()) == to_hex(supervisory(9)));
    // An I frame of ours acknowledges as well.
    hear(link, information(9, 0), noon + 12s);
    link.send(vector("asdu GI con"), noon + 12s);
    CHECK(decode_frame(link.take()).value().received == 10);
    link.tick(noon + 22s);
    CHECK(link.take().empty());
}

TEST_CASE("iec104 link: tests a silent line after t3 and gives it up after t1", "[iec104]") {
    auto link = started();
    CHECK(link.wake() == noon + 20s);
    link.tick(noon + 20s);
    CHECK(to_hex(link.take()) == "680443000000");
    SECTION("answered") {
        hear(link, frames({Unnumbered::test_confirm}), noon + 21s);
        CHECK(link.wake() == noon + 41s);
        link.tick(noon + 36s);
        CHECK_FALSE(link.fault());
    }
    SECTION("not answered") {
        link.tick(noon + 34s);
        CHECK_FALSE(link.fault());
        link.tick(noon + 35s);
        CHECK(link.fault() == LinkFault::not_acknowledged);
        CHECK(link.wake() == never);
    }
    SECTION("the peer tests us") {
        hear(link, frames({Unnumbered::test_activate}));
        CHECK(to_hex(link.take()) == "680483000000");
    }
}

TEST_CASE("iec104 link: gives up when an I frame is not acknowledged within t1", "[iec104]") {
    auto link = started();
    link.send(vector("asdu GI con"), noon + 1s);
    link.send(vector("asdu GI con"), noon + 5s);
    hear(link, supervisory(1), noon + 10s);
    link.tick(noon + 19s);
    CHECK_FALSE(link.fault());
    link.tick(noon + 20s);
    CHECK(link.fault() == LinkFault::not_acknowledged);
}

TEST_CASE("iec104 link: what must not come is a fault", "[iec104]") {
    struct Row {
        const char* why;
        Buffer octets;
        LinkFault fault;
    };
    auto garbage = from_hex("6904070000").value();
    const auto row = GENERATE_COPY(values<Row>({
        {"an unknown start octet", garbage, LinkFault::malformed},
        {"a length of 3", from_hex("6803010000").value(), LinkFault::malformed},
        {"a length of 254", from_hex("68FE01000000").value(), LinkFault::malformed},
        {"two functions in one", from_hex("68044F000000").value(), LinkFault::malformed},
        {"a longer S frame", from_hex("68050100000000").value(), LinkFault::malformed},
        {"an I frame without ASDU", from_hex("680400000000").value(), LinkFault::malformed},
        {"an I frame whose predecessor is missing", information(1, 0), LinkFault::sequence},
        {"an acknowledgement of nothing", information(0, 1), LinkFault::sequence},
        {"a confirmation that nobody waits for", frames({Unnumbered::start_confirm}),
         LinkFault::unexpected_control},
    }));
    DYNAMIC_SECTION(row.why) {
        auto link = started();
        hear(link, row.octets);
        CHECK(link.fault() == row.fault);
        CHECK_FALSE(link.ready());
    }
    SECTION("an I frame before STARTDT") {
        Link link{Side::controlled, {}, noon};
        CHECK(hear(link, information(0, 0)) == 0);
        CHECK(link.fault() == LinkFault::not_started);
    }
    SECTION("a controlling station is not told to start") {
        Link link{Side::controlling, {}, noon};
        hear(link, frames({Unnumbered::start_activate}));
        CHECK(link.fault() == LinkFault::unexpected_control);
    }
}

TEST_CASE("iec104 link: a stop is confirmed when everything sent is acknowledged", "[iec104]") {
    auto link = started();
    link.send(vector("asdu GI con"), noon);
    link.take();
    hear(link, information(0, 0));
    hear(link, frames({Unnumbered::stop_activate}));
    CHECK(to_hex(link.take()) == to_hex(supervisory(1)));  // what is owed, but no confirmation yet
    CHECK_FALSE(link.ready());
    hear(link, supervisory(1));
    CHECK(to_hex(link.take()) == to_hex(vector("frame STOPDT con")));
    CHECK(link.stopped());
}

TEST_CASE("iec104 link: who stops acknowledges at once what was under way", "[iec104]") {
    Link master{Side::controlling, {}, noon};
    master.start(noon);
    hear(master, frames({Unnumbered::start_confirm}));
    master.stop(noon);
    master.take();
    CHECK(hear(master, information(0, 0)) == 1);
    CHECK(to_hex(master.take()) == to_hex(supervisory(1)));  // not after t2: the confirmation waits for it
    hear(master, frames({Unnumbered::stop_confirm}));
    CHECK(master.stopped());
}

TEST_CASE("iec104 link: sequence numbers wrap at 32768, in any chunking and with late acknowledgements",
          "[iec104]") {
    std::mt19937 random{104};
    Link master{Side::controlling, {12, 8, 15s, 10s, 20s}, noon}, station{Side::controlled, {}, noon};
    master.start(noon);
    int sent = 0, heard = 0, in_flight_max = 0;
    Instant now = noon;
    Buffer down, up;  // on the wire, in pieces of any size, with no relation to frames
    const auto carry = [&](Link& to, Buffer& wire, int& count) {
        const auto size = std::min<std::size_t>(wire.size(), random() % 700);
        count += hear(to, Bytes{wire}.first(size), now);
        wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size));
    };
    int none = 0;
    for (int step = 0; step < 400'000 && heard < 70'000; ++step) {
        now += 1ms;
        for (int burst = static_cast<int>(random() % 16); burst > 0 && station.ready() && sent < 70'000;
             --burst) {
            station.send(vector("asdu GI con"), now);
            ++sent;
        }
        in_flight_max = std::max(in_flight_max, station.unacknowledged());
        const auto append = [](Buffer& wire, const Buffer& octets) {
            wire.insert(wire.end(), octets.begin(), octets.end());
        };
        append(down, station.take());
        append(up, master.take());
        carry(master, down, heard);
        carry(station, up, none);
        master.tick(now);
        station.tick(now);
        REQUIRE_FALSE(master.fault());
        REQUIRE_FALSE(station.fault());
    }
    CHECK(heard == 70'000);
    CHECK(in_flight_max == 12);
}
