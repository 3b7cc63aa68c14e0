// The courier against a partner's end that checks signatures and order, over real HTTP and PostgreSQL.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "headend/database/outbox.h"
#include "headend/database/webhooks.h"
#include "headend/exchange/webhook_courier.h"
#include "headend/exchange/webhook_policy.h"
#include "terminal-sim/tool/cim_partner.h"
#include "terminal-sim/tool/webhook_server.h"
#include "tests/comes.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using headend::exchange::webhook_purpose;
using headend::exchange::WebhookCourier;
using headend::exchange::WebhookCourierSettings;
using sim::WebhookServer;
using sim::WebhookSink;

namespace {

const security::FileMasterKey master{Key256{}};
const Buffer secret(32, 0x51);

/// A database, a partner "mis" that wants everything, and messages about `subjects` meters.
struct Scene {
    explicit Scene(int batch = 1) : batch_(batch) {
        Contract contract;
        contract.name = "mis";
        contract.topics = {"event"};
        contract.id = Contracts{town.admin}.put(contract, midnight, "tester");
        contract_ = contract;
    }
    void point_to(std::uint16_t port, const std::string& path = "/hook") {
        Webhook webhook;
        webhook.contract = contract_;
        webhook.name = "main";
        webhook.url = "http://127.0.0.1:" + std::to_string(port) + path;
        webhook.topics = {"event"};
        webhook.batch = batch_;
        webhook.secret = master.wrap(webhook_purpose("mis", "main"), secret);
        Webhooks{town.admin}.put(webhook, midnight);
    }
    void tell(int messages, int subjects, const std::string& type = "meter.power_lost") {
        town.admin.execute("select tell(1, 1, 'event', '" + type + "', 'M' || g % " +
                               std::to_string(subjects) + ", g % " + std::to_string(subjects) +
                               ", g, '{}') from generate_series(1, " + std::to_string(messages) + ") g",
                           "telling");
    }
    std::unique_ptr<WebhookCourier> courier() {
        WebhookCourierSettings settings;
        settings.database = town.database.settings("wm_exchange");
        settings.owner = "test";
        settings.plain = true;
        settings.speed = 0.01;  // waits of 50 ms instead of 5 s
        auto made = std::make_unique<WebhookCourier>(settings, master, clock, random,
                                                     [this](std::string_view, const std::string& line) {
                                                         const std::lock_guard lock{mutex};
                                                         lines.push_back(line);
                                                     });
        made->start();
        return made;
    }
    long long rows(const std::string& where) {
        return town.value("select count(*) from webhook_message where " + where);
    }
    Webhook webhook() { return Webhooks{town.admin}.all().at(0); }

    Town town;
    platform::ScaledClock clock;
    security::SystemRandom random;
    std::mutex mutex;
    std::vector<std::string> lines;

private:
    Contract contract_;
    int batch_;
};

}  // namespace

TEST_CASE("courier: everything arrives once, signed, and in order for each meter", "[exchange][db]") {
    const int batch = GENERATE(1, 50);
    Scene scene{batch};
    WebhookSink sink{secret, {}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.tell(500, 37);
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return sink.counts().messages == 500; }));
    scene.tell(20, 37);
    REQUIRE(comes([&] { return sink.counts().messages == 520 && scene.rows("state = 0") == 520; }));
    courier->stop();
    const auto counts = sink.counts();
    CHECK(counts.good());
    CHECK(counts.duplicates == 0);
    CHECK((batch == 1 ? counts.requests == 520 : counts.requests < 100));
}

TEST_CASE("courier: a partner who is away gets everything in order when he is back", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{secret, {.away = 25, .refuse = {}, .gone = false}};
    scene.point_to(1);  // nobody listens there
    scene.tell(100, 9);
    const auto courier = scene.courier();
    REQUIRE(comes([&] {
        for (const auto& lane : Webhooks{scene.town.admin}.lanes(scene.webhook().id))
            if (lane.attempts < 2 || lane.last_status != 0 || lane.last_error.empty()) return false;
        return true;
    }));
    CHECK(scene.rows("true") == 0);
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    REQUIRE(comes([&] { return sink.counts().messages == 100; }));
    courier->stop();
    CHECK(sink.counts().good());
    CHECK(sink.counts().requests >= 125);
}

TEST_CASE("courier: a message that is refused is put aside, the others go on, and it can be sent again",
          "[exchange][db]") {
    const int batch = GENERATE(1, 50);
    Scene scene{batch};
    std::string body;
    {
        WebhookSink sink{secret, {.away = 0, .refuse = "poison", .gone = false}};
        const WebhookServer server{sink, "127.0.0.1", 0};
        scene.point_to(server.port());
        scene.tell(30, 5);
        scene.tell(1, 1, "meter.poison");
        scene.tell(30, 5);
        const auto courier = scene.courier();
        REQUIRE(comes([&] { return sink.counts().messages == 60 && scene.rows("state = 1") == 1; }));
        courier->stop();
        const auto dead = Webhooks{scene.town.admin}.messages(scene.webhook().id, true, 0, 10);
        REQUIRE(dead.size() == 1);
        CHECK(dead[0].attempts == headend::exchange::refusals_max);
        CHECK(dead[0].status == 422);
        body = dead[0].body;
        CHECK(body.find("meter.poison") != std::string::npos);
    }
    const std::string out = "/tmp/wattmesh-courier-" + std::to_string(getpid());
    WebhookSink sink{secret, {}};
    const WebhookServer server{sink, "127.0.0.1", 0, out};
    scene.point_to(server.port());
    CHECK(Webhooks{scene.town.admin}.send_again(scene.webhook().id, 0, 1'000, false) == 1);
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return scene.rows("state = 1") == 0; }));
    courier->stop();
    std::string line;
    std::ifstream in{out};
    std::getline(in, line);
    unlink(out.c_str());
    CHECK(line == (batch > 1 ? "[" + body + "]" : body));  // who asked for lists gets lists
    CHECK(sink.counts().messages == 1);
}

TEST_CASE("courier: one that is stopped in the middle and started again loses nothing", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{secret, {}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.tell(3'000, 101);
    for (int i = 1; i <= 3; ++i) {
        const auto courier = scene.courier();
        REQUIRE(comes([&] { return sink.counts().messages >= std::min(3'000, 700 * i); }));
    }
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return sink.counts().messages == 3'000 && scene.rows("true") == 3'000; }));
    courier->stop();
    CHECK(sink.counts().good());
}

TEST_CASE("courier: a lane that another process holds is left alone", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{secret, {}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.town.admin.execute(
        "update webhook_lane set owner = 'other', owner_until_us = 9000000000000000 where "
        "lane = 2",
        "another process");
    scene.tell(40, 4);
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return scene.rows("true") == 30; }));
    courier->stop();
    CHECK(sink.counts().messages == 30);
    CHECK(scene.town.value("select position from webhook_lane where lane = 2") == 0);
}

TEST_CASE("courier: a wrong secret only makes it wait, and is said once", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{Buffer(32, 0x52), {}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.tell(1, 1);
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return sink.counts().forged >= 3; }));
    courier->stop();
    CHECK(scene.webhook().disabled_why.empty());
    CHECK(scene.rows("true") == 0);
    REQUIRE(scene.lines.size() == 1);
    CHECK(scene.lines[0] == "webhook=mis/main lane=0 waits: it answered 401");
}

TEST_CASE("courier: a partner who answers 410 is told no more", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{secret, {.away = 0, .refuse = {}, .gone = true}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.tell(2, 1);
    const auto courier = scene.courier();
    REQUIRE(comes([&] { return !scene.webhook().disabled_why.empty(); }));
    courier->stop();
    CHECK(sink.counts().requests == 1);
    CHECK(scene.rows("true") == 0);
}

TEST_CASE("courier: a webhook that takes nothing for a week ends, one that takes other things goes on",
          "[exchange][db]") {
    const bool other_lane = GENERATE(false, true);
    Scene scene;
    scene.point_to(1);  // nobody listens there
    scene.tell(1, 1);   // lane 0
    scene.town.admin.execute("update webhook_lane set attempts = 700, failing_since_us = 1", "a week");
    if (other_lane)
        scene.town.admin.execute("insert into webhook_message select id, 0, 0, 0, 1, 200, 2, '' from webhook",
                                 "something that was taken");
    const auto courier = scene.courier();
    REQUIRE(comes(
        [&] { return other_lane ? scene.rows("state = 1") == 1 : !scene.webhook().disabled_why.empty(); }));
    courier->stop();
    CHECK(scene.webhook().disabled_why.starts_with("nothing was taken for a week") == !other_lane);
    CHECK(scene.rows("state = 1") == (other_lane ? 1 : 0));
    CHECK(scene.town.value("select position from webhook_lane where lane = 0") == (other_lane ? 1 : 0));
}

TEST_CASE("courier: what cannot be written waits, and what went before it is not sent again",
          "[exchange][db]") {
    Scene scene;
    const sim::CimSink sink{"127.0.0.1", 0};
    scene.point_to(sink.port());
    scene.town.admin.execute("update webhook set form = 'cim'", "a form that reads the message");
    for (const auto* data : {"{}", "[]", "{}"})  // the second is no object
        scene.town.admin.execute(
            std::string{"select tell(1, 1, 'event', 'meter.joined', '540000000000', 4, 1, '"} + data + "')",
            "telling");
    auto courier = scene.courier();
    REQUIRE(comes(
        [&] { return scene.town.value("select max(attempts) from webhook_lane where lane = 0") >= 3; }));
    CHECK(scene.rows("true") == 1);
    CHECK(sink.bodies().size() == 1);
    courier->stop();
    CHECK(Webhooks{scene.town.admin}.lanes(scene.webhook().id)[0].last_error.find("cannot be written") !=
          std::string::npos);
    scene.town.admin.execute("update outbox set data = '{}'", "mending it");
    courier = scene.courier();
    REQUIRE(comes([&] { return scene.rows("true") == 3; }));
    courier->stop();
    CHECK(sink.bodies().size() == 3);
}

TEST_CASE("courier: lanes that have no part in what there is stand behind it soon", "[exchange][db]") {
    Scene scene;
    WebhookSink sink{secret, {}};
    const WebhookServer server{sink, "127.0.0.1", 0};
    scene.point_to(server.port());
    scene.tell(10, 1);
    const auto courier = scene.courier();
    CHECK(comes([&] { return scene.town.value("select min(position) from webhook_lane") == 10; }));
    courier->stop();
}
