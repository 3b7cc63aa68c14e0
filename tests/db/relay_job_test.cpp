#include "headend/monitor/relay_job.h"

#include "headend/database/disconnect_grants.h"
#include "headend/database/relay_rules.h"
#include "headend/monitor/grant_wait.h"
#include "tests/db/real_meter.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using namespace headend;

const std::string off = R"({"verb":"disconnect"})", on = R"({"verb":"reconnect"})";

struct Gate : RealMeter {
    Gate()
        : desk(keys, on_demand, road.carry(), ciphers, random),
          kind(
              queue, desk, [] {}, [this] { return clock->at; }),
          runner(loop, {.owner = "a", .look_real = look}, queue, {&kind}) {}
    ~Gate() { runner.stop(); }
    bool closed() { return meter.device.closed(clock->at); }
    void open_breaker() {
        meter.device.act({70, obis::disconnect_control, 1}, std::int8_t{0}, management_client, clock->at,
                         [](const auto&) {});
    }
    long long audited(const std::string& what) {
        return town.value(
            "select count(*) from audit where action = 'relay disconnect' and subject = "
            "'540000000001' and detail like '" +
            what + ", job %'");
    }
    /// Everything of an order as a process that dies now leaves it.
    void left_in_hand(JobId job) {
        REQUIRE(begin_items(town.monitor, job, clock->at, "dead") == std::vector<int>{1});
    }
    Jobs jobs() { return Jobs{town.monitor}; }

    monitor::RelayDesk desk;
    monitor::RelayJob kind;
    jobs::JobRunner runner;
};

}  // namespace

TEST_CASE("relay job: stopped while it switches, it is audited, and undo has the meter", "[db]") {
    Gate gate;
    const auto job = gate.order("relay", off);
    gate.runner.start();  // looks, and asks the meter for its state
    REQUIRE(gate.item(job).state == ItemState::working);
    SECTION("by a stop") {
        CHECK(gate.jobs().cancel_all("relay", TenantId{1}, gate.clock->at) == 1);
        REQUIRE(RelayRules{gate.town.admin}.stop(TenantId{1}, {gate.clock->at, "ada", "wrong list"}));
    }
    SECTION("by its deadline") {
        gate.town.admin.execute("update job set deadline_us = 1", "letting the deadline pass");
        JobWork{gate.town.monitor, "b"}.claim({{"relay", 1}}, gate.clock->at, gate.clock->at + 30s);
    }
    gate.turn();
    CHECK_FALSE(gate.closed());
    CHECK(gate.item(job).state == ItemState::done);
    CHECK(gate.item(job).detail == "disconnected");
    CHECK(gate.audited("disconnected") == 1);
    CHECK(gate.jobs().changed(job) == std::vector<std::string>{to_string(customer(1))});
    CHECK(gate.jobs().find(job)->over());
}

TEST_CASE("relay job: a command whose end nobody saw is undone", "[db]") {
    Gate gate;
    gate.road.silent_after_deed = true;
    const auto job = gate.order("relay", off);
    gate.runner.start();
    gate.turn();
    CHECK_FALSE(gate.closed());
    CHECK(gate.item(job).detail == "not_verified");
    CHECK(gate.audited("not_verified") == 1);
    CHECK(gate.jobs().changed(job).size() == 1);
}

TEST_CASE("relay job: what a dead process had in hand is looked at before anything is sent", "[db]") {
    Gate gate;
    const auto job = gate.order("relay", off);
    gate.left_in_hand(job);
    const bool sent = GENERATE(true, false), cancelled = GENERATE(true, false);
    CAPTURE(sent, cancelled);
    if (sent) gate.open_breaker();
    if (cancelled) CHECK(gate.jobs().cancel(job, gate.clock->at));
    gate.runner.start();
    gate.turn();
    CHECK(gate.item(job).state == ItemState::working);  // it may only be slow
    gate.clock->at += 10min;
    gate.turn();
    const auto deeds = gate.meter.device.deeds().size();
    if (cancelled && !sent) {
        CHECK(gate.closed());
        CHECK(deeds == 0);
        CHECK(gate.item(job).detail == "cancelled");
        CHECK(gate.audited("cancelled") == 1);
        return;
    }
    CHECK_FALSE(gate.closed());
    CHECK(deeds == 1);  // the one or the other
    CHECK(gate.item(job).state == ItemState::done);
    CHECK(gate.item(job).detail == "disconnected");
    CHECK(gate.audited("disconnected") == 1);
    CHECK(gate.jobs().changed(job).size() == 1);
    CHECK(gate.jobs().find(job)->over());
}

TEST_CASE("relay job: beyond the cap it waits until the oldest grant leaves the hour, which is no attempt",
          "[db]") {
    Gate gate;
    DisconnectGrants grants{gate.town.monitor};
    CHECK_FALSE(grants.next_free(gate.clock->at));
    const MeterId other{gate.town.value("select id from meter where number = 540000000000")};
    for (const auto ago : {61min, 40min, 20min})
        REQUIRE(grants.acquire(other, customer(0), "ada", 1, {}, gate.clock->at - ago));
    gate.keys.capped = true;
    const auto job = gate.order("relay", off);
    const Instant free = gate.clock->at + 20min;
    gate.runner.start();
    for (int i = 0; i < 8; ++i) gate.turn(1);
    CHECK(gate.item(job).state == ItemState::waiting);
    CHECK(gate.item(job).attempts == 0);
    CHECK(gate.town.value("select not_before_us from job_item") == epoch_us(free));
    gate.keys.capped = false;
    gate.clock->at = free;
    gate.turn();
    CHECK(gate.item(job).detail == "disconnected");
}

TEST_CASE("relay job: a reconnection after a sale is not for who was cut off since it was ordered", "[db]") {
    Gate gate;
    const auto after_sale =
        gate.order("relay", monitor::RelayOrder{monitor::RelayVerb::reconnect, true}.to_json());
    const auto cut = gate.order("relay", off);
    gate.open_breaker();
    end_item(gate.town.monitor, cut, 1, {ItemState::done, "disconnected"}, gate.clock->at);
    JobWork{gate.town.monitor, "test"}.release();
    gate.runner.start();
    gate.turn();
    CHECK_FALSE(gate.closed());
    CHECK(gate.item(after_sale).state == ItemState::failed);
    CHECK(gate.item(after_sale).detail == "cut_off_by_order");
    const auto by_hand = gate.order("relay", on);
    gate.turn();
    CHECK(gate.closed());
    CHECK(gate.item(by_hand).detail == "connected");
}

}  // namespace wattmesh::test
