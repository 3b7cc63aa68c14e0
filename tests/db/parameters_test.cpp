#include "headend/database/parameters.h"

#include "headend/database/relay_rules.h"
#include "headend/database/scope.h"
#include "headend/monitor/limit_job.h"
#include "protocol/cosem/activity_calendar.h"
#include "tests/db/real_meter.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using namespace headend;
using monitor::ParameterKind;
using monitor::ParameterOrder;

const std::string two_rates =
    R"({"name":"2027","days":[{"id":1,"switches":[{"at":"00:00","rate":2},{"at":"07:00","rate":1},{"at":"21:30","rate":2}]},)"
    R"({"id":2,"switches":[{"at":"00:00","rate":2}]}],"weeks":[{"name":"W","days":[1,1,1,1,1,2,2]}],)"
    R"("seasons":[{"name":"S","from":"01-01","week":"W"}]})";

std::string text_of(const dlms::Data& data) {
    if (const auto number = data.integer()) return std::to_string(*number);
    const auto octets = data.octets();
    return octets.empty() ? "..." : std::string{octets.begin(), octets.end()};
}

struct Monitor : RealMeter {
    Monitor()
        : desk(keys, on_demand, road.carry(), ciphers, random),
          kind(ports()),
          limits(ports()),
          runner(loop, {.owner = "a", .look_real = look}, queue, {&kind, &limits}) {
        runner.start();
    }
    ~Monitor() { runner.stop(); }
    monitor::ParameterJob::Ports ports() {
        return {.queue = queue,
                .desk = desk,
                .pump = [] {},
                .now = [this] { return clock->at; },
                .text = text_of};
    }
    void desire(ParameterKind kind_of, const std::string& content, const std::string& name = "usual") {
        Parameters parameters{town.admin};
        const auto made = parameters.put({.tenant = TenantId{1},
                                          .name = name,
                                          .kind = std::string{to_string(kind_of)},
                                          .content = content,
                                          .changed = clock->at,
                                          .changed_by = "ada"});
        REQUIRE(made);
        parameters.desire(made->id, {customer(1)}, "ada", clock->at);
    }
    /// Of what is desired now.
    ParameterOrder order_of(ParameterKind kind_of, bool apply = true) {
        const auto task = Parameters{town.admin}.task(customer(1), std::string{to_string(kind_of)});
        return {apply, kind_of, monitor::mark_of(task.value().wanted)};
    }
    JobItem run(ParameterKind kind_of, bool apply = true, const std::string& job_kind = "parameters") {
        const auto job = order(job_kind, order_of(kind_of, apply).to_json());
        turn();
        return item(job);
    }
    ParameterLine line() {
        limit(town.console, Scope::of(TenantId{1}));
        return Parameters{town.console}.of(customer(1)).at(0);
    }

    monitor::ParameterDesk desk;
    monitor::ParameterJob kind;
    monitor::LimitJob limits;
    jobs::JobRunner runner;
};

}  // namespace

TEST_CASE("parameters: a calendar is written, made active, read back and compared", "[db]") {
    Monitor monitor;
    monitor.desire(ParameterKind::tariff_calendar, two_rates);
    CHECK(monitor.line().state == "unknown");
    // Compared only: nothing is written.
    auto item = monitor.run(ParameterKind::tariff_calendar, false);
    CHECK(item.state == ItemState::done);
    CHECK(item.detail == "4 of 4 differ");
    CHECK(monitor.line().state == "differs");
    CHECK(monitor.meter.device.deeds().empty());
    CHECK(monitor.town.value("select count(*) from audit where action like '%tariff_calendar'") == 0);

    item = monitor.run(ParameterKind::tariff_calendar);
    CHECK(item.state == ItemState::done);
    CHECK(item.detail == "written");
    const auto line = monitor.line();
    CHECK(line.state == "same");
    CHECK(line.compared == 1);
    CHECK(line.written);
    CHECK(line.members.find(R"("name":"day_profile_table_active")") != std::string::npos);
    CHECK(line.members.find(R"("same":false)") == std::string::npos);
    using namespace cosem::activity_calendar;
    const auto held = monitor.meter.device.attribute({{0, 0, 13, 0, 0, 255}}, day_profile_table_active.id);
    REQUIRE(held);
    const auto days = day_profile_table_active.read(*held);
    REQUIRE(days);
    REQUIRE(days->size() == 2);
    CHECK(days->at(0).day_schedule.at(2).start_time.octets[1] == 30);
    CHECK(days->at(0).day_schedule.at(2).script_selector == 2);
    CHECK(monitor.town.value(
              "select count(*) from audit where action = 'write tariff_calendar' and actor = 'ada' and "
              "reason = "
              "'test' and before like '%two rates%' and after like '%2027%' and subject = '540000000001'") ==
          1);

    // Again: it holds what it should, and nothing is sent.
    const auto deeds = monitor.meter.device.deeds().size();
    CHECK(monitor.run(ParameterKind::tariff_calendar).detail == "as desired already");
    CHECK(monitor.meter.device.deeds().size() == deeds);
}

TEST_CASE("parameters: what somebody changed on site is found, and written again", "[db]") {
    Monitor monitor;
    monitor.desire(ParameterKind::push,
                   R"({"destination":"10.0.0.1:4059","retries":3,"delay_s":90,"spread_s":300})");
    CHECK(monitor.run(ParameterKind::push).detail == "written");
    monitor.meter.device.set({40, {{0, 0, 25, 9, 0, 255}}, 6}, dlms::Data{std::uint8_t{9}}, management_client,
                             monitor.clock->at,
                             [](dlms::AccessResult result) { CHECK(result == dlms::AccessResult::success); });
    CHECK(monitor.run(ParameterKind::push, false).detail == "1 of 4 differ");
    limit(monitor.town.console, Scope::of(TenantId{1}));
    Parameters parameters{monitor.town.console};
    CHECK(parameters.list("push", "differs", 10).size() == 1);
    CHECK(parameters.counts().at(0).differs == 1);
    CHECK(monitor.run(ParameterKind::push).detail == "written");
    CHECK(parameters.counts().at(0).same == 1);
    // Another content: nobody knows what meters hold until they are compared with it.
    monitor.desire(ParameterKind::push,
                   R"({"destination":"10.0.0.2:4059","retries":3,"delay_s":90,"spread_s":300})");
    CHECK(parameters.counts().at(0).unknown == 1);
    CHECK(monitor.line().version == 2);
    CHECK(monitor.run(ParameterKind::push, false).detail == "1 of 4 differ");
    limit(monitor.town.console, Scope::nothing());
    CHECK(parameters.list("", "", 10).empty());
}

TEST_CASE("parameters: a lost answer is followed by a question, silence by another try", "[db]") {
    Monitor monitor;
    monitor.desire(ParameterKind::special_days,
                   R"({"days":[{"date":"2027-01-26","day":2},{"date":"12-25","day":2}]})");
    monitor.road.status = frontend::RelayStatus::unreachable;
    auto item = monitor.run(ParameterKind::special_days);
    CHECK(item.state == ItemState::waiting);
    CHECK(item.detail == "unreachable");
    monitor.road.status = frontend::RelayStatus::answered;
    monitor.road.lose_deed = true;
    item = monitor.run(ParameterKind::special_days);
    CHECK(item.state == ItemState::done);
    CHECK(item.detail == "written");
    CHECK(monitor.line().state == "same");
}

TEST_CASE("parameters: limits go through the gate only, and a protected meter gets none", "[db]") {
    Monitor monitor;
    monitor.desire(ParameterKind::limits, R"({"watts":3000,"over_s":120})");
    auto item = monitor.run(ParameterKind::limits);
    CHECK(item.state == ItemState::failed);
    CHECK(item.detail == "limits go through the command gate");
    CHECK(monitor.meter.device.deeds().empty());

    RelayRules rules{monitor.town.admin};
    rules.protect(customer(1), "dialysis");
    item = monitor.run(ParameterKind::limits, true, "limits");
    CHECK(item.state == ItemState::failed);
    CHECK(item.detail == "protected");
    CHECK(monitor.meter.device.deeds().empty());
    rules.protect(customer(1), std::nullopt);
    rules.stop(TenantId{1}, {monitor.clock->at, "ada", "wrong list"});
    CHECK(monitor.run(ParameterKind::limits, true, "limits").detail == "stopped");
    rules.go_on(TenantId{1});

    item = monitor.run(ParameterKind::limits, true, "limits");
    CHECK(item.detail == "written");
    const auto threshold = monitor.meter.device.attribute({{0, 0, 17, 0, 0, 255}}, 4);
    REQUIRE(threshold);
    CHECK(threshold->integer() == 3000);
    CHECK(monitor.town.value("select count(*) from audit where action = 'write limits' and after like "
                             "'threshold_normal 3000%'") == 1);
    // Only what was ordered and approved: not another content, template, or an order without any.
    const auto approved = monitor.order_of(ParameterKind::limits).to_json();
    const auto superseded = [&](const std::string& parameters) {
        const auto job = monitor.order("limits", parameters);
        monitor.turn();
        CHECK(monitor.item(job).state == ItemState::failed);
        CHECK(monitor.item(job).detail == "superseded");
    };
    monitor.desire(ParameterKind::limits, R"({"watts":2500,"over_s":120})");
    superseded(approved);
    monitor.desire(ParameterKind::limits, R"({"watts":3000,"over_s":120})", "other");
    superseded(approved);
    superseded(ParameterOrder{true, ParameterKind::limits}.to_json());
    CHECK(monitor.meter.device.attribute({{0, 0, 17, 0, 0, 255}}, 4)->integer() == 3000);
    // What a dead process had in hand: it may have written, which nobody would know.
    monitor.desire(ParameterKind::limits, R"({"watts":2000,"over_s":120})");
    const auto left = monitor.order("limits", monitor.order_of(ParameterKind::limits).to_json());
    begin_items(monitor.town.monitor, left, monitor.clock->at, "dead");
    monitor.meter.device.set({71, {{0, 0, 17, 0, 0, 255}}, 4}, dlms::Data{std::uint32_t{2000}},
                             management_client, monitor.clock->at,
                             [](dlms::AccessResult result) { CHECK(result == dlms::AccessResult::success); });
    monitor.clock->at += 10min;
    monitor.turn();
    CHECK(monitor.item(left).detail == "written");
    CHECK(monitor.town.value("select count(*) from audit where action = 'write limits' and after like "
                             "'threshold_normal 2000%'") == 1);
    // The gate of limits writes nothing else.
    monitor.desire(ParameterKind::push,
                   R"({"destination":"10.0.0.1:1","retries":1,"delay_s":1,"spread_s":1})", "p");
    CHECK(monitor.run(ParameterKind::push, true, "limits").state == ItemState::failed);
}

}  // namespace wattmesh::test
