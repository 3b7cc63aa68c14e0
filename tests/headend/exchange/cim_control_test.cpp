// IEC 61968-9: EndDeviceControls go through the gate, each line for itself; what became of each is told.
#include <catch2/catch.hpp>
#include <thread>

#include "headend/database/cim_dialects.h"
#include "headend/database/relay_rules.h"
#include "terminal-sim/tool/cim_partner.h"
#include "tests/db/work_bench.h"
#include "tests/headend/exchange/rest_scene.h"
#include "tests/headend/exchange/xsd.h"

using namespace wattmesh;
using namespace wattmesh::test;
using sim::CimControlText;
using sim::CimRequestText;

namespace {

const std::string cut = "3.31.0.23", restore = "3.31.0.18", hold = "3.31.0.8", ping = "3.1.0.30";

std::string digits(int i) { return to_string(customer(i)); }

/// North may have replies sent to the sink.
struct ControlScene : RestScene {
    ControlScene() {
        dialect.reply_to = {"http://127.0.0.1:" + std::to_string(sink.port()) + "/cim"};
        CimDialects{town.admin}.put(contract("north").id, dialect);
    }
    CimRequestText request(const std::string& id, const std::vector<CimControlText>& controls) const {
        return {.verb = "create",
                .noun = "EndDeviceControls",
                .message_id = id,
                .reply_address = dialect.reply_to[0],
                .payload = sim::end_device_controls(controls)};
    }
    sim::CimSaid said(const std::string& id, const std::vector<CimControlText>& controls) {
        const auto text = sim::write_request(request(id, controls));
        REQUIRE(schema_faults(text).empty());
        const auto reply = cim("north", text);
        REQUIRE(reply.status == 200);
        CHECK(schema_faults(reply.body) == "");
        return sim::parse_said(reply.body);
    }
    void work() {
        while (courier->round()) {
        }
    }
    void finish(const std::string& job, int place, ItemState state, const std::string& detail) {
        end_item(town.monitor, JobId{std::stoll(job)}, place, {state, detail}, clock.at);
    }
    sim::CimSink sink{"127.0.0.1", 0};
    CimDialect dialect;
};

}  // namespace

TEST_CASE("61968 controls: lines are taken or refused each for itself, and told how they ended",
          "[exchange][cim][db]") {
    ControlScene scene;
    REQUIRE(RelayRules{scene.town.admin}.protect(customer(1), "life support"));
    const auto taken = scene.said("list", {{"d1", cut, digits(0)},
                                           {"d2", cut, digits(1)},
                                           {"d3", cut, digits(2)},
                                           {"d4", "9.9.9.9", digits(0)},
                                           {"d5", restore, digits(0)},
                                           {"d6", ping, digits(1)}});
    CHECK(taken.result == "PARTIAL");
    CHECK(taken.has("0.3"));
    CHECK(taken.ids.size() == 2);
    std::map<std::string, std::string> codes;
    for (const auto& error : taken.errors) codes[error.object] = error.code;
    CHECK(codes["d2"] == "6.1");  // protected
    CHECK(codes["d3"] == "2.4");  // another area's
    CHECK(codes["d4"] == "5.2");
    CHECK(codes["d5"] == "5.2");  // the message cuts it
    CHECK(scene.town.value(
              "select count(*) from job where kind = 'relay' and parameters like '%disconnect%' and "
              "state = 'queued' and requested_by = 'partner:north' and areas = '{1}'") == 1);
    CHECK(scene.town.value("select count(*) from audit where action in ('job relay', 'job read') and actor = "
                           "'partner:north' and detail like '%client north-1, message list%'") == 2);
    CHECK_FALSE(scene.courier->round());
    scene.finish(taken.ids[0], 1, ItemState::done, "disconnected");
    scene.finish(taken.ids[1], 1, ItemState::failed, "no_answer");
    scene.work();
    REQUIRE(scene.sink.bodies().size() == 1);
    CHECK(schema_faults(scene.sink.bodies()[0]) == "");
    const auto told = sim::parse_said(scene.sink.bodies()[0]);
    CHECK(told.root == "EventMessage");
    CHECK(told.verb == "created");
    CHECK(told.noun == "EndDeviceEvents");
    CHECK(told.correlation == "c-list");
    REQUIRE(told.events.size() == 6);
    CHECK(told.events[0].control == "d1");
    CHECK(told.events[0].device == digits(0));
    CHECK(told.events[0].code == "3.31.0.68");
    CHECK(told.events[0].reply_code == "0.0");
    CHECK(told.events[1].code == "3.31.0.84");
    CHECK(told.events[1].reply_code == "6.1");
    CHECK(told.events[5].control == "d6");
    CHECK(told.events[5].reply_code == "4.1");
    CHECK(told.events[5].code == "3.1.0.79");
}

TEST_CASE("61968 controls: a hold withdraws what was not begun, and only that", "[exchange][cim][db]") {
    ControlScene scene;
    const auto first = scene.said("one", {{"a", cut, digits(0)}});
    const auto second = scene.said("two", {{"b", hold, digits(0)}, {"c", hold, digits(1)}});
    CHECK(second.result == "OK");
    REQUIRE(second.errors.size() == 2);
    CHECK(second.errors[0].code == "6.2");
    CHECK(second.errors[0].reason.find("withdrawn") != std::string::npos);
    CHECK(second.errors[1].reason.find("No disconnection") != std::string::npos);
    CHECK(scene.town.value("select count(*) from job where state = 'done' and failed = 1") == 1);
    CHECK(begin_items(scene.town.monitor, JobId{std::stoll(first.ids.at(0))}, scene.clock.at).empty());
    scene.work();
    REQUIRE(scene.sink.bodies().size() == 1);
    CHECK(sim::parse_said(scene.sink.bodies()[0]).events.at(0).reply_code == "6.5");

    const auto third = scene.said("three", {{"d", cut, digits(0)}});
    CHECK(begin_items(scene.town.monitor, JobId{std::stoll(third.ids.at(0))}, scene.clock.at).size() == 1);
    CHECK(scene.said("four", {{"e", hold, digits(0)}}).errors.at(0).reason.find("No disconnection") == 0);
    scene.finish(third.ids.at(0), 1, ItemState::done, "disconnected");
    scene.work();
    CHECK(sim::parse_said(scene.sink.bodies().back()).events.at(0).reply_code == "0.0");
}

TEST_CASE("61968 controls: a hold withdraws what was ordered over REST", "[exchange][cim][db]") {
    ControlScene scene;
    const auto ordered =
        scene.post("north", "/partner/v1/commands",
                   R"({"command":"disconnect","meters":[")" + digits(0) + R"("],"reason":"debt"})", "k");
    REQUIRE(ordered.status == 202);
    const auto held = scene.said("one", {{"a", hold, digits(0)}, {"b", hold, digits(1)}});
    REQUIRE(held.errors.size() == 2);
    CHECK(held.errors[0].reason.find("withdrawn") != std::string::npos);
    CHECK(held.errors[1].reason.find("No disconnection") == 0);
    CHECK(scene.town.value("select count(*) from job_item where state = 'cancelled'") == 1);
}

TEST_CASE("61968 controls: each cut-off is recorded with its own reason", "[exchange][cim][db]") {
    ControlScene scene;
    auto asked = scene.request("list", {{"a", cut, digits(0)}, {"b", cut, digits(1)}});
    for (const auto& [name, reason] : {std::pair{"a", "debt of March"}, {"b", "moved out"}}) {
        const auto tag = "<mRID>" + std::string{name} + "</mRID>";
        const auto at = asked.payload.find(tag);
        REQUIRE(at != std::string::npos);
        asked.payload.insert(at + tag.size(), "<reason>" + std::string{reason} + "</reason>");
    }
    const auto text = sim::write_request(asked);
    REQUIRE(schema_faults(text) == "");
    const auto taken = sim::parse_said(scene.cim("north", text).body);
    CHECK(taken.ids.size() == 2);
    CHECK(scene.town.value("select count(*) from job j join job_item i on i.job = j.id where (j.reason, "
                           "i.subject) in (('debt of March', '" +
                           digits(0) + "'), ('moved out', '" + digits(1) + "'))") == 2);
    // Two jobs of a meter each are an order for two meters all the same.
    CHECK(scene.town.value("select count(*) from job where state = 'proposed'") == 2);
    CHECK(scene.town.value("select count(*) from audit where action = 'job relay' and reason in ('debt of "
                           "March', 'moved out')") == 2);
}

TEST_CASE("61968 controls: many wait for a second person, a stop holds all, the contract decides",
          "[exchange][cim][db]") {
    ControlScene scene;
    const auto two = scene.said("two", {{"a", cut, digits(0)}, {"b", cut, digits(1)}});
    CHECK(two.errors.at(0).reason.find("second person") != std::string::npos);
    CHECK(scene.town.value("select count(*) from job where state = 'proposed'") == 1);
    REQUIRE(RelayRules{scene.town.admin}.stop(TenantId{1}, {scene.clock.at, "ada", "storm"}));
    const auto stopped = scene.said("stop", {{"a", restore, digits(0)}});
    CHECK(stopped.result == "FAILED");
    CHECK(stopped.has("6.2"));
    auto contract = scene.contract("north");
    contract.allowed = {"read"};
    scene.put(contract);
    const auto refused = scene.said("allow", {{"a", cut, digits(0)}, {"b", ping, digits(0)}});
    CHECK(refused.result == "PARTIAL");
    CHECK(refused.has("7.5"));
    CHECK(refused.ids.size() == 1);
}

TEST_CASE("61968 controls: one message is one order, however often it comes", "[exchange][cim][db]") {
    ControlScene scene;
    scene.token("north");
    const auto text = sim::write_request(scene.request("same", {{"a", cut, digits(0)}}));
    std::vector<RestReply> replies(5);
    std::vector<std::thread> threads;
    for (auto& reply : replies)
        threads.emplace_back([&scene, &reply, &text] { reply = scene.cim("north", text); });
    for (auto& thread : threads) thread.join();
    for (const auto& reply : replies) {
        CHECK(reply.status == 200);
        CHECK(reply.body == replies[0].body);
    }
    CHECK(scene.town.value("select count(*) from job") == 1);
    CHECK(scene.town.value("select count(*) from cim_message") == 1);
    CHECK(scene.town.value("select count(*) from cim_line") == 1);
}

TEST_CASE("61968 controls: codes and events are the partner's where he has his own", "[exchange][cim][db]") {
    ControlScene scene;
    scene.dialect.controls = {{"ping", "HELLO"}};
    scene.dialect.events = {{"3.1.0.58", "THERE"}};
    CimDialects{scene.town.admin}.put(scene.contract("north").id, scene.dialect);
    const auto taken = scene.said("a", {{"a", "HELLO", digits(0)}});
    REQUIRE(taken.ids.size() == 1);
    scene.finish(taken.ids[0], 1, ItemState::done, "2026-03-10 14:00");
    scene.work();
    CHECK(sim::parse_said(scene.sink.bodies().at(0)).events.at(0).code == "THERE");
}

TEST_CASE("61968 controls: a reply waits while the partner is away, and is the same then",
          "[exchange][cim][db]") {
    ControlScene scene;
    scene.sink.answer_with(503);
    const auto taken = scene.said("a", {{"a", ping, digits(0)}});
    scene.finish(taken.ids.at(0), 1, ItemState::done, "x");
    scene.work();
    CHECK(scene.sink.bodies().empty());
    CHECK(scene.town.value("select attempts from cim_reply where state = 'waiting' and status = 503") == 1);
    CHECK_FALSE(scene.courier->round());  // not before its time
    scene.clock.at += std::chrono::minutes{1};
    scene.work();
    CHECK(scene.town.value("select attempts from cim_reply where state = 'waiting'") == 2);
    scene.sink.answer_with(204);
    scene.clock.at += std::chrono::minutes{10};
    scene.work();
    REQUIRE(scene.sink.bodies().size() == 1);
    CHECK(scene.town.value("select attempts from cim_reply where state = 'delivered'") == 3);
    // An address that was taken out of the contract gets nothing any more.
    const auto second = scene.said("b", {{"a", ping, digits(0)}});
    CimDialects{scene.town.admin}.put(scene.contract("north").id, {});
    scene.finish(second.ids.at(0), 1, ItemState::done, "x");
    scene.work();
    CHECK(scene.sink.bodies().size() == 1);
    CHECK(scene.town.value("select count(*) from cim_reply where state = 'dead'") == 1);
}
