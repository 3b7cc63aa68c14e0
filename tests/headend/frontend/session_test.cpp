#include "tests/headend/frontend/world.h"

namespace wattmesh::headend::frontend {

TEST_CASE("session: the hello is answered before the store says anything", "[frontend]") {
    World world;
    world.store.mute = true;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.connect(unit);
    CHECK(world.phase(link) == Phase::accepted);
    world.core.on_bytes(link, unit.login(), world.now);
    world.settle();
    CHECK(unit.hello_acks == 1);
    CHECK(world.phase(link) == Phase::identified);
    world.core.on_bytes(link, unit.heartbeat(), world.now);
    world.settle();
    CHECK(unit.beat_acks == 1);
}

TEST_CASE("session: becomes ready with the store's epoch", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit);
    CHECK(world.phase(link) == Phase::ready);
    CHECK(world.view(link).epoch == OwnerEpoch{1});
}

TEST_CASE("session: a log-in with somebody else's certificate ends unanswered", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link{7};
    world.links[link] = &unit;
    world.core.on_accepted(link, {"900000000002", {}}, world.now);
    world.core.on_bytes(link, unit.login(), world.now);
    world.settle();
    CHECK(unit.hello_acks == 0);
    CHECK(world.store.opened == 0);
    CHECK(world.closed.at(link) == "log-in as 900000000001 with the certificate of 900000000002");
    CHECK(world.core.counters().identity_mismatches == 1);
}

TEST_CASE("session: an unknown identity is answered, listed and left alone until it is registered",
          "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals.push_back({{{1}}, {unit.interval_entry(1, meter_1, start_of_day, 1)}, {}, 0});
    world.store.standings[number_of(concentrator_1)] = Standing::unknown;
    const LinkId link = world.log_in(unit);
    CHECK(unit.hello_acks == 1);
    CHECK(world.phase(link) == Phase::quarantined);
    world.pass(std::chrono::minutes{3});
    CHECK(world.phase(link) == Phase::quarantined);
    CHECK(unit.beat_acks == 3);
    CHECK(world.view(link).counters.frames == 4);
    CHECK(unit.writes.empty());
    CHECK(unit.reads_of_journal == 0);
    RelayStatus status{};
    world.core.relay(number_of(concentrator_1), number_of(meter_1), {0xC0},
                     [&](RelayOutcome outcome) { status = outcome.status; });
    CHECK(status == RelayStatus::offline);

    world.store.standings.clear();
    world.pass(std::chrono::minutes{2});
    CHECK(world.phase(link) == Phase::ready);
    CHECK(world.store.rows() == 1);
}

TEST_CASE("session: a revoked concentrator is sent away", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    world.store.standings[number_of(concentrator_1)] = Standing::revoked;
    const LinkId link = world.log_in(unit);
    CHECK(world.closed.at(link) == "the concentrator is revoked");
}

TEST_CASE("session: the newest log-in wins and the older link's end changes nothing", "[frontend]") {
    World world;
    FakeConcentrator first{concentrator_1}, second{concentrator_1};
    const LinkId old_link = world.log_in(first);
    const LinkId new_link = world.log_in(second);
    CHECK(world.closed.at(old_link) == "a newer log-in took over");
    CHECK(world.phase(new_link) == Phase::ready);
    CHECK(world.core.counters().takeovers == 1);
    world.core.on_closed(old_link, world.now);
    world.pass(std::chrono::minutes{10});
    CHECK(world.phase(new_link) == Phase::ready);
    for (const auto& seen : world.store.sightings) CHECK(seen.link == LinkState::online);
}

TEST_CASE("session: offline is decided by silence, not by the close", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit);
    world.links.erase(link);
    world.core.on_closed(link, world.now);
    const Instant closed = world.now;
    world.pass(std::chrono::seconds{209});
    for (const auto& seen : world.store.sightings) CHECK(seen.link == LinkState::online);
    world.pass(std::chrono::seconds{1});
    REQUIRE_FALSE(world.store.sightings.empty());
    CHECK(world.store.sightings.back().link == LinkState::offline);
    CHECK(world.store.sightings.back().last_seen <= closed);
    CHECK(world.core.counters().went_offline == 1);
}

TEST_CASE("session: a concentrator that an earlier process left online goes offline by silence too",
          "[frontend]") {
    World world;
    world.core.expect(number_of(concentrator_1), OwnerEpoch{4}, world.now);
    world.pass(std::chrono::minutes{4});
    REQUIRE(world.store.sightings.size() == 1);
    CHECK(world.store.sightings[0].link == LinkState::offline);
    CHECK(world.store.sightings[0].epoch == OwnerEpoch{4});
}

TEST_CASE("session: any frame counts as life, none ends the session", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit);
    for (int i = 0; i < 10; ++i) {
        world.pass(std::chrono::minutes{3}, false);
        world.core.on_bytes(link, unit.notification(), world.now);
    }
    CHECK(world.phase(link) == Phase::ready);
    unit.silent = true;
    world.pass(std::chrono::minutes{4}, false);
    CHECK(world.closed.contains(link));
}

TEST_CASE("session: links that do not behave end with a reason and are counted", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    SECTION("no log-in") {
        const LinkId link = world.connect(unit);
        world.pass(std::chrono::seconds{61}, false);
        CHECK(world.closed.at(link) == "no log-in in time");
    }
    SECTION("another protocol") {
        const LinkId link = world.connect(unit);
        world.core.on_bytes(link, as_bytes("GET / HTTP/1.1\r\n"), world.now);
        world.settle();
        CHECK(world.closed.at(link) == "not a wrapper stream: bad_version");
        CHECK(world.core.counters().malformed == 1);
    }
    SECTION("a hello that is none") {
        const LinkId link = world.connect(unit);
        world.core.on_bytes(link, link::encode_wrapper({Sap{1}, Sap{1}, {0x0A, 0x02, 0x40}}), world.now);
        world.settle();
        CHECK(world.closed.at(link) == "the first frame is not a log-in");
    }
    SECTION("a frame that is never finished") {
        const LinkId link = world.log_in(unit);
        world.core.on_bytes(link, from_hex("0001000100").value(), world.now);
        world.pass(std::chrono::seconds{61}, false);
        CHECK(world.closed.at(link) == "a frame was never finished");
    }
    SECTION("a unit that never answers") {
        unit.silent = true;
        const LinkId link = world.log_in(unit);
        world.pass(std::chrono::seconds{121});
        CHECK(world.closed.at(link) == "no answer to a request in time");
    }
    SECTION("frames to nobody, garbage in a talk: counted, the link lives") {
        const LinkId link = world.log_in(unit);
        world.core.on_bytes(link, link::encode_wrapper({Sap{9}, Sap{77}, {0xC4}}), world.now);
        world.core.on_bytes(link, link::encode_wrapper({Sap{1}, Sap{1}, {0xE7, 0x00, 0x30}}), world.now);
        world.core.on_bytes(link, link::encode_wrapper({Sap{1}, dcu::replication_client, {0xC4, 0x01}}),
                            world.now);
        world.settle();
        CHECK(world.view(link).counters.foreign == 1);
        CHECK(world.view(link).counters.malformed == 1);
        CHECK(world.phase(link) == Phase::ready);
    }
}

TEST_CASE("session: a store that is down at log-in only delays the admission", "[frontend]") {
    World world;
    world.store.down = true;
    FakeConcentrator unit{concentrator_1};
    const LinkId link = world.log_in(unit);
    world.pass(std::chrono::minutes{5});
    CHECK(world.phase(link) == Phase::identified);
    CHECK(world.store.opened < 20);
    world.store.down = false;
    world.pass(std::chrono::minutes{1});
    CHECK(world.phase(link) == Phase::ready);
}

TEST_CASE("session: octet by octet is the same talk", "[frontend]") {
    World world;
    FakeConcentrator unit{concentrator_1};
    unit.journals.push_back({{{1}}, {unit.interval_entry(1, meter_1, start_of_day, 3)}, {}, 0});
    const LinkId link = world.connect(unit);
    for (const std::uint8_t octet : unit.login()) world.core.on_bytes(link, Bytes{&octet, 1}, world.now);
    for (int round = 0; round < 50; ++round) {
        world.store.complete();
        world.core.tick(world.now);
        for (Action& action : world.core.take_actions())
            unit.receive(std::get<SendBytes>(action).bytes, world.now);
        while (const auto pdu = unit.take()) {
            for (const std::uint8_t octet : *pdu) world.core.on_bytes(link, Bytes{&octet, 1}, world.now);
        }
    }
    CHECK(world.store.rows() == 3);
    CHECK(unit.journals[0].acknowledged == Sequence{1});
}

}  // namespace wattmesh::headend::frontend
