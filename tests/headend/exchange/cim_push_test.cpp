// IEC 61968-9: created MeterReadings and EndDeviceEvents, told as they happen.
#include <catch2/catch.hpp>
#include <thread>

#include "headend/database/cim_dialects.h"
#include "headend/database/webhooks.h"
#include "headend/exchange/cim_push.h"
#include "headend/exchange/webhook_courier.h"
#include "terminal-sim/tool/cim_partner.h"
#include "tests/comes.h"
#include "tests/headend/exchange/rest_scene.h"
#include "tests/headend/exchange/xsd.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

/// North wants events and readings; the quarters 2 to 4 of meter 0 are told of.
struct PushScene : RestScene {
    PushScene() {
        auto wanted = contract("north");
        wanted.topics = {"event", "readings"};
        wanted.event_codes = {{"power_lost", "PL01"}};
        put(wanted);
        lose_power(0, quarter(5));
        town.admin.execute(
            "select tell_readings(array[m.id], array[1::smallint], array[" +
                std::to_string(epoch_us(quarter(2))) + "], array[" + std::to_string(epoch_us(quarter(4))) +
                "], array[3]) from meter m where number = " + std::to_string(customer(0).integer()),
            "telling of readings");
        Outbox{exchange}.seal(clock.at, 100);
    }
    std::vector<OutboxMessage> told() {
        const auto north = contract("north");
        return Outbox{exchange}.after(north, north.topics, {}, 0, 100).messages;
    }
};

}  // namespace

TEST_CASE("61968 push: what happened and what was measured, as valid messages", "[exchange][cim][db]") {
    PushScene scene;
    const auto messages = scene.told();
    REQUIRE(messages.size() == 2);
    const auto north = scene.contract("north");
    const auto event = headend::exchange::cim_push(scene.exchange, north, messages[0]);
    CHECK(schema_faults(event) == "");
    const auto happened = sim::parse_said(event);
    CHECK(happened.root == "EventMessage");
    CHECK(happened.verb == "created");
    CHECK(happened.noun == "EndDeviceEvents");
    REQUIRE(happened.events.size() == 1);
    CHECK(happened.events[0].device == to_string(customer(0)));
    CHECK(happened.events[0].code == "PL01");
    CHECK(happened.events[0].reason == "power_lost");
    const auto readings = headend::exchange::cim_push(scene.exchange, north, messages[1]);
    CHECK(schema_faults(readings) == "");
    const auto measured = sim::parse_said(readings);
    CHECK(measured.noun == "MeterReadings");
    REQUIRE(measured.readings.size() == 3 * 4);
    CHECK(measured.readings[0].at == "2026-03-10T00:30:00Z");
    CHECK(measured.readings[0].value == "0.020");
    CHECK(headend::exchange::cim_push(scene.exchange, north, messages[1]) == readings);
}

TEST_CASE("61968 push: the webhook's courier takes them to the partner, signed and recorded",
          "[exchange][cim][db]") {
    PushScene scene;
    sim::CimSink sink{"127.0.0.1", 0};
    const security::FileMasterKey master{Key256{}};
    Webhook webhook;
    webhook.contract = scene.contract("north");
    webhook.name = "cim";
    webhook.url = "http://127.0.0.1:" + std::to_string(sink.port()) + "/in";
    webhook.topics = {"event", "readings"};
    webhook.cim = true;
    webhook.secret = master.wrap(headend::exchange::webhook_purpose("north", "cim"), Buffer(32, 7));
    Webhooks{scene.town.admin}.put(webhook, scene.clock.at);
    CHECK(Webhooks{scene.town.admin}.all().at(0).cim);
    scene.town.admin.execute("update webhook_lane set position = 0", "from the beginning");
    headend::exchange::WebhookCourierSettings settings;
    settings.database = scene.town.database.settings("wm_exchange");
    settings.owner = "test";
    settings.plain = true;
    headend::exchange::WebhookCourier courier{settings, master, scene.clock, scene.random,
                                              [](std::string_view, const std::string&) {}};
    courier.start();
    REQUIRE(comes([&] { return scene.town.value("select count(*) from webhook_message") >= 2; }));
    courier.stop();
    const auto bodies = sink.bodies();
    REQUIRE(bodies.size() == 2);
    for (const auto& body : bodies) {
        CHECK(schema_faults(body) == "");
        CHECK(scene.town.value("select count(*) from webhook_message where body = '" + body + "'") == 1);
    }
}
