#include "tests/concentrator/uplink/line.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;

TEST_CASE("relay: requests to several meters at once, one at a time for each, unopened both ways",
          "[concentrator]") {
    Line line;
    line.log_in();
    auto& relay = line.uplink->relay();
    relay.set_meters({meter(1), meter(2), meter(3)});
    relay.set_transactions_max(2);
    line.head->ask(meter(1), {0xC0, 1});
    line.head->ask(meter(1), {0xC0, 2});
    line.head->ask(meter(2), {0xC0, 3});
    line.head->ask(meter(3), {0xC0, 4}, public_client);
    line.pump();
    CHECK(relay.wanted() == std::set{meter(1), meter(2), meter(3)});
    const auto free = [](const DeviceNumber&) { return true; };
    CHECK_FALSE(relay.take_talk([](const DeviceNumber&) { return false; }));  // our own read is on the air
    auto talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->meter == meter(1));
    CHECK(talk->payload == Buffer{1, 0xC0, 1});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->meter == meter(2));
    CHECK_FALSE(relay.take_talk(free));  // two at once, no more

    relay.answered(meter(2), Buffer{1, 0xC4, 9});
    line.uplink->flush_relay();
    line.pump();
    REQUIRE(line.head->relayed.size() == 1);
    const auto second = meter(2);
    CHECK(line.head->relayed[0] ==
          link::GatewayFrame{true, 0, {second.bcd.begin(), second.bcd.end()}, {0xC4, 9}});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->payload == Buffer{16, 0xC0, 4});
    relay.failed(meter(1));
    line.uplink->flush_relay();
    line.pump();
    CHECK(line.head->relayed[1].apdu == Buffer{0xD8, 1, 3});
    talk = relay.take_talk(free);
    REQUIRE(talk);
    CHECK(talk->payload == Buffer{1, 0xC0, 2});
}

TEST_CASE("relay: what cannot go is refused with an exception", "[concentrator]") {
    Line line;
    line.log_in();
    line.uplink->relay().set_meters({meter(1)});
    struct Row {
        const char* why;
        int meter;
        Buffer apdu;
        Sap client;
        Buffer answer;
    };
    const auto row = GENERATE(values<Row>({
        {"unlisted meter", 2, {0xC0}, management_client, {0xD8, 1, 3}},
        {"our own client", 1, {0xC8}, reading_client, {0xD8, 1, 3}},
        {"too long", 1, Buffer(201, 0xC8), management_client, {0xD8, 1, 4}},
    }));
    DYNAMIC_SECTION(row.why) {
        line.head->ask(meter(row.meter), row.apdu, row.client);
        line.pump();
        REQUIRE(line.head->relayed.size() == 1);
        CHECK(line.head->relayed[0].apdu == row.answer);
        CHECK(line.head->relayed_to[0] == row.client);
        CHECK_FALSE(line.uplink->relay().take_talk([](const DeviceNumber&) { return true; }));
    }
}

TEST_CASE("relay: an answer for a link that is gone does not go out on the next one", "[concentrator]") {
    Line line;
    line.log_in();
    auto& relay = line.uplink->relay();
    relay.set_meters({meter(1)});
    line.head->ask(meter(1), {0xC0, 1});
    line.pump();
    REQUIRE(relay.take_talk([](const DeviceNumber&) { return true; }));
    line.uplink->closed("reset by peer", line.now);
    line.head.emplace(line.ciphers, line.random);
    line.wait(3s);
    line.uplink->opened(line.now);
    line.pump();
    line.head->ask(meter(1), {0xC0, 2});
    line.pump();
    CHECK_FALSE(relay.take_talk(
        [](const DeviceNumber&) { return true; }));  // the mesh still works on the old request
    relay.answered(meter(1), Buffer{1, 0xC4, 1});
    line.uplink->flush_relay();
    line.pump();
    CHECK(line.head->relayed.empty());
    CHECK(relay.take_talk([](const DeviceNumber&) { return true; }));
}
