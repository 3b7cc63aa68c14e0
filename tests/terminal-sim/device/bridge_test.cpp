// The bridge between a line and the head-end, on a pty pair; frames: uplink fact sheet 5.1.
#include "terminal-sim/device/bridge.h"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT: posix_openpt and its kin
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "platform/acceptor.h"
#include "platform/serial_link.h"
#include "security/ciphers.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

const char* const request = "01030BB7000677CA";
const char* const answer = "01030C4148000041540000413C00001424";

link::HelloProfile profile() {
    return std::get<link::HelloProfile>(
        link::parse_hello_profile("name = test\ncarries = modbus-rtu\nidentity.size = 12\n"
                                  "login = \"REG:\" id\nbeat = \"PING\"\nbeat_s = 60\n"));
}

/// A pty pair: the far end is the meter's, the near end a serial port.
struct Line {
    Line() : meter(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
        REQUIRE(meter >= 0);
        REQUIRE(::grantpt(meter) == 0);
        REQUIRE(::unlockpt(meter) == 0);
        device = ::ptsname(meter);
    }
    ~Line() { ::close(meter); }
    Buffer take() const {
        std::array<std::uint8_t, 512> octets{};
        const auto size = ::read(meter, octets.data(), octets.size());
        return Buffer(octets.begin(), octets.begin() + std::max<ssize_t>(size, 0));
    }
    void say(const char* hex) const {
        const Buffer octets = from_hex(hex).value();
        REQUIRE(::write(meter, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
    }
    int meter;
    std::string device;
};

struct HeadEnd {
    explicit HeadEnd(platform::Loop& loop) : acceptor(loop, {.tls = {}}) {
        acceptor.start(
            [this](std::unique_ptr<platform::Link> accepted) {
                ++calls;
                link = std::move(accepted);
                link->start(
                    {[this](Bytes octets) { heard.insert(heard.end(), octets.begin(), octets.end()); },
                     [this](const std::string&) { link.reset(); }});
            },
            [](const std::string&, const std::string&) {});
    }
    std::string take() { return to_hex(std::exchange(heard, {})); }
    platform::Acceptor acceptor;
    std::unique_ptr<platform::Link> link;
    Buffer heard;
    int calls = 0;
};

struct Site {
    /// A minute of heartbeats in half a second.
    platform::Loop loop{std::make_shared<platform::ScaledClock>(120)};
    security::SystemRandom random;
    link::HelloProfile make = profile();
    Line line;
    HeadEnd head{loop};
    std::string lost;
    std::optional<Bridge> bridge;
    void start() {
        bridge.emplace(
            loop, random,
            Bridge::Settings{.host = "127.0.0.1", .port = head.acceptor.port(), .identity = "548000000001"},
            make, std::make_unique<platform::SerialLink>(loop, platform::SerialSettings{line.device}),
            [this](const std::string& reason) { lost = reason; });
    }
    bool until(const std::function<bool()>& done) {
        for (int turn = 0; turn < 20'000 && !done(); ++turn) {
            loop.poll();
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return done();
    }
};

}  // namespace

TEST_CASE("bridge: registers, passes octets both ways as they are, and beats when it is idle", "[sim]") {
    Site site;
    site.start();
    REQUIRE(site.until([&] { return site.head.heard.size() >= 16; }));
    CHECK(site.head.take() == to_hex(as_bytes("REG:548000000001")));
    REQUIRE(site.head.link->send(from_hex(request).value()));
    Buffer asked;
    REQUIRE(site.until([&] {
        const Buffer more = site.line.take();
        asked.insert(asked.end(), more.begin(), more.end());
        return asked.size() >= 8;
    }));
    CHECK(to_hex(asked) == request);
    site.line.say(answer);
    REQUIRE(site.until([&] { return site.head.heard.size() >= 17; }));
    CHECK(site.head.take().substr(0, 34) == answer);
    REQUIRE(site.until([&] { return site.bridge->counters().beats >= 2; }));
    REQUIRE(site.until([&] { return site.head.heard.size() >= 8; }));
    CHECK(site.head.take().substr(0, 16) == to_hex(as_bytes("PINGPING")));
}

TEST_CASE("bridge: calls again when the head-end hangs up, and says when the line is gone", "[sim]") {
    Site site;
    site.start();
    REQUIRE(site.until([&] { return site.head.heard.size() >= 16; }));
    site.head.take();
    site.head.link.reset();
    REQUIRE(site.until([&] { return site.head.calls == 2 && site.head.heard.size() >= 16; }));
    CHECK(site.head.take() == to_hex(as_bytes("REG:548000000001")));
    ::close(std::exchange(site.line.meter, -1));
    REQUIRE(site.until([&] { return !site.lost.empty(); }));
}

TEST_CASE("serial link: what is no port is refused by name", "[sim]") {
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    CHECK_THROWS_WITH((platform::SerialLink{loop, {.device = "/nowhere"}}),
                      Catch::Contains("/nowhere: cannot be opened"));
    CHECK_THROWS_WITH((platform::SerialLink{loop, {.device = "/dev/null"}}),
                      Catch::Contains("is no serial port"));
    CHECK_THROWS_WITH((platform::SerialLink{loop, {.device = "/dev/null", .baud = 12'345}}),
                      Catch::Contains("12345 baud"));
}
