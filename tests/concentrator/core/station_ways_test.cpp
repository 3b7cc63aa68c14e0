#include "terminal-sim/device/modem_port.h"
#include "tests/concentrator/core/door.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;

namespace {

/// A port where nobody listens, until somebody does.
std::uint16_t free_port(platform::Loop& loop) {
    return platform::Acceptor{loop, platform::AcceptorSettings{}}.port();
}

struct Site {
    Site(platform::Loop& loop, Door& door) : files(scratch.file("state")) {
        const auto code = security::make_one_time_code(random, door.ca.der());
        const auto enrolled = enrol(loop, random, door.address(), self, code.text());
        REQUIRE(enrolled);
        files.store(*enrolled);
    }
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    const Scratch scratch;
    IdentityFiles files;
};

dcu::UplinkState state_of(platform::Loop& loop, Door& door) {
    door.head.configuration.associate();
    const auto read = door.head.configuration.get({1, dcu::objects::uplink_state, 2});
    door.flush();
    run_until(loop, [&] { return door.head.reads.contains(read); });
    const auto state = dcu::uplink_state_from_data(std::get<dlms::Data>(door.head.reads.at(read)));
    REQUIRE(state);
    return *state;
}

}  // namespace

TEST_CASE("station: the backup has the session while the primary is away, and gives it back",
          "[concentrator]") {
    constexpr double speed = 20;
    platform::Loop loop(std::make_shared<platform::ScaledClock>(speed));
    Door door(loop);
    Site site(loop, door);
    const auto primary_port = free_port(loop);
    StationSettings settings{{{"127.0.0.1", primary_port}, door.address()}, {"127.0.0.1", 9}};
    settings.speed = speed;
    Station station(loop, settings, *site.files.load(), site.files, site.ciphers, site.random);
    station.start();
    run_until(loop, [&] { return door.uplinks == 1; });
    CHECK(door.called == door.acceptor.get());
    const auto state = state_of(loop, door);
    CHECK(state.current == 1);
    CHECK(state.moves == 1);
    REQUIRE(state.ways.size() == 2);
    CHECK(state.ways[0].sessions == 0);
    CHECK(state.ways[0].last_failure.find("127.0.0.1:" + std::to_string(primary_port)) != std::string::npos);

    const auto primary = door.listen(primary_port);
    run_until(loop, [&] { return door.uplinks == 2; });
    CHECK(door.called == primary.get());
}

TEST_CASE("station: where Ethernet leads nowhere the modem carries the uplink", "[concentrator]") {
    constexpr double speed = 4;
    platform::Loop loop(std::make_shared<platform::ScaledClock>(speed));
    Door door(loop);
    Site site(loop, door);
    sim::ModemTruth truth;
    truth.pin = "4711";
    truth.apn = "meters";
    truth.chatters = true;
    sim::ModemPort modem(loop, site.random, truth);
    // The same address over both bearers; only the network that the modem is in leads to the head-end.
    const platform::HostPort address{"127.0.0.1", free_port(loop)};
    modem.lead_to(door.address());
    StationSettings settings{{address}, {"127.0.0.1", 9}};
    settings.speed = speed;
    platform::CellularSettings cellular;
    cellular.serial.device = modem.device();
    cellular.modem.pin = truth.pin;
    cellular.modem.apn = truth.apn;
    settings.modem = cellular;
    Station station(loop, settings, *site.files.load(), site.files, site.ciphers, site.random);
    station.start();
    run_until(loop, [&] { return door.uplinks == 1; });
    const auto state = state_of(loop, door);
    REQUIRE(state.ways.size() == 2);
    CHECK(state.current == 1);
    CHECK(state.ways[1].bearer == "cellular");
    CHECK(state.ways[1].sessions == 1);
    REQUIRE(state.cellular);
    CHECK(state.cellular->state == "ready");
    CHECK(state.cellular->operator_name == "Simulated Net");
    CHECK(state.cellular->registration == dcu::Registration::home);
    CHECK(state.cellular->signal_dbm == -77);
    CHECK(modem.modem().counts().pins_tried == 1);

    modem.modem().end_context();
    modem.pump();
    run_until(loop, [&] { return door.uplinks == 2; });
    CHECK(modem.modem().counts().contexts == 2);
}
