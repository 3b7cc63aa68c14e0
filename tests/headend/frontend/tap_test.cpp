// Who listens in on links: every octet both ways, in order, and why they ended.
#include "tests/headend/frontend/caller_world.h"
#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {
namespace {

struct NotedTap : Tap {
    void note(const TappedLink& link, const std::string& what) {
        lines.push_back(std::to_string(link.link.value) + " " +
                        (link.device ? to_string(*link.device) : "?") + " " + what);
    }
    void opened(const TappedLink& link, const std::string& who, Instant) override {
        note(link, "opened " + who);
    }
    void received(const TappedLink& link, Bytes octets, Instant) override {
        note(link, "< " + to_hex(octets));
    }
    void sent(const TappedLink& link, Bytes octets, Instant) override { note(link, "> " + to_hex(octets)); }
    void closed(const TappedLink& link, const std::string& reason, Instant) override {
        note(link, "closed " + reason);
    }
    std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("tap: a device that calls in, from its first octet to its end", "[frontend]") {
    CallerSite site;
    NotedTap tap;
    site.core.listen_in(&tap);
    const auto link = site.call(site.port);
    const std::string login = "0001000100010012", rest =
                                                      "0A020C32313036303034303239343100"
                                                      "5A4C";
    site.say(link, login.c_str());
    site.say(link, rest.c_str());
    site.settle();
    site.core.disconnect(DeviceNumber::parse("210600402941").value(), "the device was revoked");
    site.settle();
    REQUIRE(tap.lines.size() == 5);
    CHECK(tap.lines[0] == "1 ? opened on port longi");
    CHECK(tap.lines[1] == "1 ? < " + login);
    CHECK(tap.lines[2] == "1 210600402941 < " + rest);
    CHECK(tap.lines[3] == "1 210600402941 > 0001000100010012AA030C323130363030343032393431007004");
    CHECK(tap.lines[4] == "1 210600402941 closed " + site.closed.at(link));

    site.core.listen_in(nullptr);
    site.say(site.call(site.port), login.c_str());
    CHECK(tap.lines.size() == 5);
}

TEST_CASE("tap: what went over a concentrator's link is what both ends said", "[frontend]") {
    World world;
    NotedTap tap;
    world.core.listen_in(&tap);
    FakeConcentrator unit{concentrator_1};
    const auto link = world.log_in(unit);
    REQUIRE(world.phase(link) == Phase::ready);
    world.core.on_closed(link, world.now);
    REQUIRE(tap.lines.size() > 6);
    CHECK(tap.lines.front() == "1 ? opened with the certificate of " + concentrator_1);
    CHECK(tap.lines[1] == "1 " + concentrator_1 + " < " + to_hex(unit.login()));
    CHECK(tap.lines[2].starts_with("1 " + concentrator_1 + " > 0001"));
    CHECK(tap.lines.back() == "1 " + concentrator_1 + " closed the link was closed by the other end");
    std::size_t inbound = 0;
    for (const auto& line : tap.lines) inbound += line.find(" < ") != std::string::npos ? 1 : 0;
    CHECK(inbound >= 3);  // its hello, and its answers to what it was asked
}

}  // namespace wattmesh::headend::frontend
