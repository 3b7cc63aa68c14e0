#include <catch2/catch.hpp>
#include <stdexcept>

#include "platform/acceptor.h"
#include "platform/udp_socket.h"

namespace wattmesh::platform {

using namespace std::chrono_literals;

namespace {

/// One loop for both ends; gives up after a minute so that a fault is a failure, not a hang.
struct Street {
    Loop loop{std::make_shared<ScaledClock>()};
    Timer guard{loop};
    void run_until(const std::function<bool()>& done) {
        guard.after_real(60s, [this] { loop.stop(); });
        Timer look{loop};
        std::function<void()> again = [&] {
            if (done()) return loop.stop();
            look.after_real(2ms, again);
        };
        again();
        loop.run();
        guard.cancel();
        REQUIRE(done());
    }
};

using Datagrams = std::vector<std::pair<UdpPeer, Buffer>>;
UdpEvents keep(Datagrams& all) {
    return {.on_datagram = [&all](const UdpPeer& from,
                                  Bytes octets) { all.emplace_back(from, to_buffer(octets)); },
            .on_refused = {}};
}

}  // namespace

TEST_CASE("udp: a datagram arrives whole, with its sender, and can be answered", "[platform]") {
    Street street;
    UdpSocket meter{street.loop, {}}, reader{street.loop, {}};
    Datagrams at_meter, at_reader;
    meter.start(keep(at_meter));
    reader.start(keep(at_reader));
    const UdpPeer to_meter{"127.0.0.1", meter.port()};
    CHECK(reader.send(to_meter, Buffer(40'000, 1)));
    CHECK(reader.send(to_meter, Buffer{2}));
    CHECK(reader.send(to_meter, Buffer{}));
    street.run_until([&] { return at_meter.size() == 3; });
    CHECK(at_meter[0].second == Buffer(40'000, 1));
    CHECK(at_meter[1].second == Buffer{2});
    CHECK(at_meter[2].second.empty());
    CHECK(at_meter[0].first == UdpPeer{"127.0.0.1", reader.port()});
    CHECK(to_string(UdpPeer{"::1", 5}) == "[::1]:5");
    CHECK(meter.send(at_meter[0].first, Buffer{3}));
    street.run_until([&] { return at_reader.size() == 1; });
    CHECK(at_reader[0].first == to_meter);
}

TEST_CASE("udp: what is too long, or not for this socket, is refused both ways", "[platform]") {
    Street street;
    UdpSocket meter{street.loop, {.datagram_size_max = 100}}, reader{street.loop, {}};
    Datagrams at_meter;
    std::vector<std::string> refused;
    auto events = keep(at_meter);
    events.on_refused = [&](const UdpPeer&, const std::string& reason) { refused.push_back(reason); };
    meter.start(events);
    const UdpPeer to_meter{"127.0.0.1", meter.port()};
    CHECK(reader.send(to_meter, Buffer(101)));
    CHECK(reader.send(to_meter, Buffer(100)));
    street.run_until([&] { return at_meter.size() == 1; });
    CHECK(refused == std::vector<std::string>{"datagram is too long"});
    CHECK(at_meter[0].second.size() == 100);
    CHECK_FALSE(meter.send(at_meter[0].first, Buffer(101)));
    CHECK_FALSE(reader.send({"::1", 5}, Buffer{1}));
    CHECK_FALSE(reader.send({"meter.example", 5}, Buffer{1}));
    CHECK_THROWS_AS((UdpSocket{street.loop, {.address = "meter.example"}}), SocketError);
    CHECK_THROWS_AS((UdpSocket{street.loop, {.port = meter.port()}}), SocketError);
}

TEST_CASE("udp: a session that throws costs its datagram, and a name is resolved", "[platform]") {
    Street street;
    UdpSocket meter{street.loop, {}}, reader{street.loop, {}};
    std::vector<std::string> refused;
    int seen = 0;
    meter.start(
        {.on_datagram =
             [&](const UdpPeer&, Bytes) {
                 if (++seen == 1) throw std::runtime_error("disk full");
             },
         .on_refused = [&](const UdpPeer&, const std::string& reason) { refused.push_back(reason); }});
    std::optional<UdpPeer> found;
    reader.resolve("localhost", meter.port(), [&](const UdpPeer* peer, const std::string&) {
        REQUIRE(peer != nullptr);
        found = *peer;
        reader.send(*peer, Buffer{1});
        reader.send(*peer, Buffer{2});
    });
    street.run_until([&] { return seen == 2; });
    CHECK(found == UdpPeer{"127.0.0.1", meter.port()});
    CHECK(refused == std::vector<std::string>{"the socket's owner failed: disk full"});
}

TEST_CASE("udp: a socket may go in its own callback", "[platform]") {
    Street street;
    auto meter = std::make_unique<UdpSocket>(street.loop, UdpSettings{});
    UdpSocket reader{street.loop, {}};
    const UdpPeer to_meter{"127.0.0.1", meter->port()};
    int seen = 0;
    meter->start({.on_datagram =
                      [&](const UdpPeer&, Bytes) {
                          ++seen;
                          meter.reset();
                      },
                  .on_refused = {}});
    reader.send(to_meter, Buffer{1});
    reader.send(to_meter, Buffer{2});
    street.run_until([&] { return meter == nullptr; });
    street.loop.poll();
    CHECK(seen == 1);
}

}  // namespace wattmesh::platform
