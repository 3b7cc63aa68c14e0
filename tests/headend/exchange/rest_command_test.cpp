// Commands of partners: ordered once, gated, followed and cancelled.
#include <catch2/catch.hpp>
#include <thread>

#include "headend/database/job_work.h"
#include "headend/database/relay_rules.h"
#include "tests/headend/exchange/rest_scene.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

constexpr const char* commands = "/partner/v1/commands";

std::string order_text(const std::string& command, const std::vector<int>& meters,
                       const std::string& reason = "bill 7") {
    std::string list;
    for (const int meter : meters) list += (list.empty() ? "\"" : ",\"") + to_string(customer(meter)) + "\"";
    return R"({"command":")" + command + R"(","register":"1-0:1.8.0*255","reason":")" + reason +
           R"(","meters":[)" + list + "]}";
}

}  // namespace

TEST_CASE("partners' rest: the same key and body bring the same octets, and one job", "[exchange][db]") {
    RestScene scene;
    const auto first = scene.post("north", commands, order_text("read", {0, 1}), "k-1");
    CHECK(first.status == 202);
    CHECK(first.header("location").starts_with("/partner/v1/jobs/"));
    CHECK(first.has(R"("kind":"read")"));
    CHECK(first.has(R"("state":"queued","total":2,"done":0,"failed":0)"));
    scene.clock.at += std::chrono::seconds{30};
    scene.town.admin.execute("update job set state = 'running'", "running");
    const auto again = scene.post("north", commands, order_text("read", {0, 1}), "k-1");
    CHECK(again.status == 202);
    CHECK(again.body == first.body);
    CHECK(again.header("location") == first.header("location"));
    const auto second = scene.post("north", commands, order_text("read", {0}), "k-1");
    CHECK(second.status == 422);
    CHECK(second.has("k-1"));
    CHECK(scene.town.value("select count(*) from job") == 1);
    CHECK(scene.town.value(
              "select count(*) from audit where action = 'job read' and actor = 'partner:north' and "
              "reason = 'bill 7' and detail like '%client north-1, key k-1%'") == 1);
    // A refused order uses no key up.
    CHECK(scene.post("north", commands, order_text("read", {2}), "k-2").status == 404);
    CHECK(scene.post("north", commands, order_text("read", {0}), "k-2").status == 202);
    // After a week the key is forgotten.
    scene.clock.at += std::chrono::hours{24 * 7 + 1};
    CHECK(scene.ask_token("north-1", "secret of north").status == 200);
    const auto token = scene.ask_token("north-1", "secret of north").body;
    const auto late = scene.ask({.method = "POST",
                                 .path = commands,
                                 .body = order_text("read", {0}),
                                 .token = token.substr(token.find("wmp_"), 68),
                                 .key = "k-3"});
    CHECK(late.status == 202);
    CHECK(scene.town.value("select count(*) from partner_request") == 1);
}

TEST_CASE("partners' rest: orders with one key at the same time make one job", "[exchange][db]") {
    RestScene scene;
    scene.token("north");
    std::vector<RestReply> replies(6);
    std::vector<std::thread> threads;
    for (auto& reply : replies)
        threads.emplace_back(
            [&scene, &reply] { reply = scene.post("north", commands, order_text("read", {0}), "same"); });
    for (auto& thread : threads) thread.join();
    for (const auto& reply : replies) {
        CHECK(reply.status == 202);
        CHECK(reply.body == replies[0].body);
    }
    CHECK(scene.town.value("select count(*) from job") == 1);
}

TEST_CASE("partners' rest: breakers are switched through the gate only", "[exchange][db]") {
    RestScene scene;
    const auto one = scene.post("north", commands, order_text("disconnect", {0}), "one");
    CHECK(one.status == 202);
    CHECK(one.has(R"("kind":"relay","title":"Disconnect meter )" + to_string(customer(0)) + "\""));
    CHECK(one.has(R"("state":"queued")"));
    const auto two = scene.post("north", commands, order_text("reconnect", {0, 1}), "two");
    CHECK(two.has(R"("state":"proposed")"));  // a second person at the utility
    CHECK(scene.town.value(
              "select count(*) from job where kind = 'relay' and parameters like '%reconnect%' and state "
              "= 'proposed' and requested_by = 'partner:north' and areas = '{1}'") == 1);

    RelayRules rules{scene.town.admin};
    REQUIRE(rules.protect(customer(1), "life support"));
    const auto spared = scene.post("north", commands, order_text("disconnect", {0, 1}), "three");
    CHECK(spared.status == 409);
    CHECK(spared.has(to_string(customer(1))));
    CHECK_FALSE(spared.has("life support"));  // that is nobody's business
    CHECK(scene.post("north", commands, order_text("reconnect", {1}), "four").status == 202);
    REQUIRE(rules.stop(TenantId{1}, {scene.clock.at, "ada", "storm"}));
    CHECK(scene.post("north", commands, order_text("disconnect", {0}), "five").status == 409);
    CHECK(scene.post("north", commands, order_text("read", {0}), "six").status == 202);

    auto contract = scene.contract("north");
    contract.allowed = {"read", "reconnect"};
    scene.put(contract);
    const auto refused = scene.post("north", commands, order_text("disconnect", {0}), "seven");
    CHECK(refused.status == 403);
    CHECK(refused.has("'disconnect'"));
}

TEST_CASE("partners' rest: a job is followed meter by meter, and cancelled", "[exchange][db]") {
    RestScene scene;
    const auto ordered = scene.post("north", commands, order_text("read", {0, 1}), "k");
    const auto job = ordered.header("location");
    const JobId id{std::stoll(job.substr(job.rfind('/') + 1))};
    Jobs jobs{scene.town.monitor};
    JobWork work{scene.town.monitor, "test"};
    work.claim({{"read", 5}}, scene.clock.at, scene.clock.at + std::chrono::hours{1});
    work.begin(id, scene.clock.at, scene.clock.at + std::chrono::hours{1}, 1, {});
    ItemOutcome outcome;
    outcome.state = ItemState::done;
    outcome.detail = "12.345 kWh";
    work.finish(id, 1, outcome, scene.clock.at);
    CHECK(scene.get("north", job).has(R"("state":"running","total":2,"done":1,"failed":0)"));
    const auto items = scene.get("north", job + "/items");
    CHECK(items.has(
        R"({"meter":")" + to_string(customer(0)) +
        R"(","state":"done","detail":"12.345 kWh","attempts":1,"finished":"2026-03-10T14:00:00.000Z"})"));
    CHECK(items.has(R"("state":"waiting","detail":"","attempts":0,"finished":null})"));
    const auto page = scene.get("north", job + "/items?limit=1");
    CHECK(page.has(R"("next":"1")"));
    CHECK(scene.get("north", job + "/items?limit=1&cursor=1").has(to_string(customer(1))));
    Outbox{scene.exchange}.seal(scene.clock.at, 10);
    CHECK(scene.get("north", "/partner/v1/feed").has("org.wattmesh.job.item_done"));

    const auto cancelled = scene.post("north", job + "/cancel", "");
    CHECK(cancelled.status == 200);
    CHECK(cancelled.has(R"("state":"cancelled")"));
    CHECK(scene.get("north", job + "/items").has(R"("state":"cancelled")"));
    CHECK(scene.post("north", job + "/cancel", "").status == 409);
    CHECK(scene.town.value(
              "select count(*) from audit where action = 'job cancel' and actor = 'partner:north'") == 1);
    CHECK(scene.get("north", "/partner/v1/jobs").has(R"("state":"cancelled")"));
}
