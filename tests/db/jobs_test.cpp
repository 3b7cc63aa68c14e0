#include <catch2/catch.hpp>
#include <thread>

#include "headend/database/jobs.h"
#include "headend/database/relay_rules.h"
#include "headend/jobs/job_runner.h"
#include "headend/jobs/read_job.h"
#include "headend/jobs/report_job.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

using headend::jobs::JobKind;
using headend::jobs::JobRunner;

Job order(const std::string& kind) {
    Job job;
    job.kind = kind;
    job.title = "Test";
    job.parameters = "{}";
    job.requested_by = "ada";
    job.reason = "test";
    job.scope = Scope::of(TenantId{1});
    job.created = quarter(0);
    job.deadline = quarter(96);
    return job;
}

std::vector<std::string> subjects(int count) {
    std::vector<std::string> list;
    for (int i = 0; i < count; ++i) list.push_back(to_string(customer(i)));
    return list;
}

ItemOutcome well(const std::string& detail) { return {ItemState::done, detail, {}, {}}; }

class SetClock : public platform::Clock {
public:
    Instant now() const override { return at; }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
    Instant at = quarter(1);
};

/// Work on the caller's thread, at once.
class Straight : public platform::Executor {
public:
    bool try_post(std::function<void()> job, Completion completion) override {
        std::exception_ptr fault;
        try {
            job();
        } catch (...) {
            fault = std::current_exception();
        }
        completion(fault);
        return true;
    }
};

/// Ends an item when the test says so.
class HeldKind : public JobKind {
public:
    std::string name() const override { return "held"; }
    int at_once() const override { return 3; }
    void work(const Job&, const JobItem& item, Done done) override {
        open.emplace_back(item, std::move(done));
    }
    void end_first(const ItemOutcome& outcome) {
        auto [item, done] = std::move(open.front());
        open.erase(open.begin());
        done(outcome);
    }
    std::vector<std::pair<JobItem, Done>> open;
};

struct Work {
    explicit Work(Town& town, const std::string& owner)
        : queue(
              town.database.settings("wm_monitor"), 1, executor, [](auto f) { f(); }, [](const auto&) {}),
          runner(loop, {.owner = owner, .look_real = look}, queue, {&kind}) {}
    /// Longer than a look takes, also on a busy machine: else one is always due and poll() never ends.
    static constexpr std::chrono::milliseconds look{25};
    void turn(int times = 20) {
        for (int i = 0; i < times; ++i) {
            std::this_thread::sleep_for(look + std::chrono::milliseconds{1});
            loop.poll();
        }
    }
    std::shared_ptr<SetClock> clock = std::make_shared<SetClock>();
    platform::Loop loop{clock};
    Straight executor;
    QueryQueue queue;
    HeldKind kind;
    JobRunner runner;
};

}  // namespace

TEST_CASE("jobs: every item ends once, the job with its last", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(order("read"), subjects(3));
    CHECK(jobs.find(id)->state == JobState::queued);
    CHECK(jobs.claim({"report"}, "a", quarter(1), quarter(2), 5).empty());
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 5).at(0).id == id);
    CHECK(jobs.due(id, quarter(1), 10).size() == 3);
    CHECK_FALSE(jobs.finish(id, 1, well("1"), quarter(1)));
    CHECK_FALSE(jobs.finish(id, 1, well("again"), quarter(1)));  // told before
    CHECK_FALSE(jobs.finish(id, 2, {ItemState::waiting, "busy", quarter(3), {}}, quarter(1)));
    CHECK(jobs.due(id, quarter(1), 10).size() == 1);
    CHECK(jobs.due(id, quarter(3), 10).at(0).attempts == 1);
    CHECK_FALSE(jobs.finish(id, 2, {ItemState::failed, "refused", {}, {}}, quarter(3)));
    CHECK(jobs.finish(id, 3, well("3"), quarter(4)));
    const auto job = jobs.find(id).value();
    CHECK(job.state == JobState::done);
    CHECK(job.done == 2);
    CHECK(job.failed == 1);
    CHECK(job.finished == quarter(4));
    CHECK(jobs.items(id, ItemState::failed, 1, 10).at(0).detail == "refused");
    CHECK(jobs.items(id, std::nullopt, 2, 1).at(0).subject == to_string(customer(1)));
    CHECK(jobs.claim({"read"}, "a", quarter(5), quarter(6), 5).empty());
    CHECK_FALSE(jobs.cancel(id, quarter(5)));
}

TEST_CASE("jobs: what has priority goes first, then what was ordered first", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto first = jobs.add(order("read"), subjects(1)), second = jobs.add(order("read"), subjects(1));
    auto urgent = order("read");
    urgent.priority = 100;
    const auto third = jobs.add(urgent, subjects(1));
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 1).at(0).id == third);
    CHECK_FALSE(jobs.finish(third, 1, {ItemState::waiting, "busy", quarter(3), {}}, quarter(1)));
    CHECK(jobs.cancel(third, quarter(1)));
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 1).at(0).id == first);
    CHECK(jobs.cancel(first, quarter(1)));
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 1).at(0).id == second);
}

TEST_CASE("jobs: a process that died leaves its jobs to another, a living one keeps them", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    jobs.add(order("read"), subjects(2));
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 5).size() == 1);
    CHECK(jobs.claim({"read"}, "b", quarter(1), quarter(2), 5).empty());
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(3), 5).size() == 1);
    CHECK(jobs.claim({"read"}, "b", quarter(3), quarter(4), 5).size() == 1);
    CHECK(jobs.claim({"read"}, "a", quarter(3), quarter(4), 5).empty());
}

TEST_CASE("jobs: pause, resume, cancel; nothing hangs past its deadline", "[db]") {
    Town town;
    Jobs jobs{town.console};
    const auto id = jobs.add(order("read"), subjects(3));
    CHECK(jobs.pause(id));
    CHECK_FALSE(jobs.pause(id));
    CHECK(jobs.claim({"read"}, "a", quarter(1), quarter(2), 5).empty());
    CHECK(jobs.resume(id));
    CHECK_FALSE(jobs.resume(id));
    SECTION("cancelled") {
        CHECK_FALSE(jobs.finish(id, 1, well("1"), quarter(1)));
        CHECK(jobs.cancel(id, quarter(2)));
        CHECK_FALSE(jobs.finish(id, 2, well("late"), quarter(2)));
        CHECK(jobs.find(id)->state == JobState::cancelled);
        CHECK(jobs.find(id)->done == 1);
        CHECK(jobs.items(id, ItemState::cancelled, 1, 10).size() == 2);
    }
    SECTION("too late, even while paused") {
        CHECK_FALSE(jobs.finish(id, 1, well("1"), quarter(1)));
        CHECK(jobs.pause(id));
        CHECK(jobs.claim({"read"}, "a", quarter(96), quarter(97), 5).empty());
        CHECK(jobs.find(id)->state == JobState::done);
        CHECK(jobs.find(id)->failed == 2);
        CHECK(jobs.items(id, ItemState::failed, 1, 1).at(0).detail == "not done by the deadline");
    }
}

TEST_CASE("job runner: some items at once, the rest as they end, and a crash loses none", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(order("held"), subjects(8));
    {
        Work work{town, "first"};
        work.runner.start();
        work.turn();
        REQUIRE(work.kind.open.size() == 3);
        work.kind.end_first(well("1"));
        work.kind.end_first({ItemState::failed, "refused", {}, {}});
        work.turn();
        CHECK(work.kind.open.size() == 3);
        CHECK(jobs.find(id)->done == 1);
        CHECK(jobs.find(id)->failed == 1);
        work.runner.stop();
    }  // crashes with three in hand
    Work work{town, "second"};
    work.clock->at = quarter(1) + std::chrono::minutes{31};
    work.runner.start();
    for (int i = 0; i < 40 && jobs.find(id)->open(); ++i) {
        work.turn(2);
        while (!work.kind.open.empty()) work.kind.end_first(well("x"));
    }
    CHECK(jobs.find(id)->state == JobState::done);
    CHECK(jobs.find(id)->done == 7);
    CHECK(town.value("select count(*) from job_item where state = 'waiting'") == 0);
}

TEST_CASE("job runner: a pause stops what is not begun, what is in hand is still stored", "[db]") {
    Town town;
    Jobs jobs{town.console};
    const auto id = jobs.add(order("held"), subjects(8));
    Work work{town, "first"};
    work.runner.start();
    work.turn();
    REQUIRE(work.kind.open.size() == 3);
    CHECK(jobs.pause(id));
    work.turn();
    work.kind.end_first(well("1"));
    work.turn();
    CHECK(work.kind.open.size() == 2);
    CHECK(jobs.find(id)->done == 1);
    CHECK(jobs.resume(id));
    work.turn();
    CHECK(work.kind.open.size() >= 3);
    CHECK(jobs.cancel(id, quarter(3)));
    work.turn();
    while (!work.kind.open.empty()) work.kind.end_first(well("late"));
    work.turn();
    CHECK(work.kind.open.empty());
    CHECK(jobs.find(id)->done == 1);
}

TEST_CASE("job runner: what never works fails in the end", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(order("held"), subjects(1));
    Work work{town, "first"};
    work.runner.start();
    int asked = 0;
    for (int i = 0; i < 100 && jobs.find(id)->open(); ++i) {
        work.turn(2);
        while (!work.kind.open.empty()) {
            ++asked;
            work.kind.end_first(
                {ItemState::waiting, "no_answer", work.clock->at + std::chrono::minutes{1}, {}});
        }
        work.clock->at += std::chrono::minutes{1};
    }
    CHECK(asked == Jobs::attempts_max);
    CHECK(jobs.find(id)->failed == 1);
    CHECK(jobs.items(id, std::nullopt, 1, 1).at(0).detail == "no_answer");
}

TEST_CASE("read job: a fault that time may cure is tried again, another is not", "[db]") {
    std::string fault = "offline";
    headend::jobs::ReadJob kind{[&](DeviceNumber, const dlms::AttributeId& id, auto done) {
                                    CHECK(id.object == obis::active_import_total);
                                    done({fault, fault.empty() ? "12 Wh" : ""});
                                },
                                [] { return quarter(4); }};
    auto job = order("read");
    job.parameters =
        headend::jobs::ReadOrder{{.class_id = 3, .object = obis::active_import_total, .attribute = 2}}
            .to_json();
    JobItem item;
    item.subject = to_string(customer(1));
    item.attempts = 2;
    ItemOutcome outcome;
    const auto ask = [&] { kind.work(job, item, [&](ItemOutcome ended) { outcome = std::move(ended); }); };
    ask();
    CHECK(outcome.state == ItemState::waiting);
    CHECK(outcome.again == quarter(4) + std::chrono::minutes{4});
    fault = "no_key";
    ask();
    CHECK(outcome.state == ItemState::failed);
    CHECK(outcome.detail == "no_key");
    fault.clear();
    ask();
    CHECK(outcome.state == ItemState::done);
    CHECK(outcome.detail == "12 Wh");
    item.subject = "no meter";
    ask();
    CHECK(outcome.state == ItemState::failed);
}

TEST_CASE("report job: holds what the one who asked may see, and no more", "[db]") {
    Town town;
    town.admin.execute("insert into area values (2, 1, 'East'); update meter set area = 2 where number = " +
                           std::to_string(customer(2).integer()),
                       "drawing areas");
    town.store(town.batch(
        0, 3,
        {Town::entry(0, 1, {interval(quarter(1), 1)}), Town::entry(1, 2, {interval(quarter(1), 3)}),
         Town::entry(2, 3, {interval(quarter(1), 5)})}));
    town.admin.execute(
        "insert into aggregate_day select meter, bank, at_us('2026-03-10 00:00+05:30'), tenant, "
        "(select area from meter m where m.id = meter), 1, 0, v1, v2 from interval_row",
        "making aggregates");
    using namespace headend::jobs;
    const UtcDay day{std::chrono::floor<std::chrono::days>(midnight)};
    auto job = order("report");
    const auto text = [&](ReportOrder::Kind kind, const Scope& scope) {
        job.scope = scope;
        const auto file = make_report(town.console, {kind, day, day, TableFormat::csv}, job,
                                      obis::load_profile, quarter(2));
        return std::string{file.content.begin(), file.content.end()};
    };
    const auto all = text(ReportOrder::Kind::energy, Scope::of(TenantId{1}));
    CHECK(all ==
          "Meter,Area,Concentrator,Day,Import kWh,Export kWh,Intervals,Complete,Doubtful\r\n"
          "540000000000,Area 1,900000000001,2026-03-10,0.010,0.011,1,1.0,0\r\n"
          "540000000001,Area 1,900000000001,2026-03-10,0.030,0.031,1,1.0,0\r\n"
          "540000000002,East,900000000001,2026-03-10,0.050,0.051,1,1.0,0\r\n");
    const auto east = text(ReportOrder::Kind::energy, Scope::of(TenantId{1}, {AreaId{2}}));
    CHECK(east.find("540000000002,East,,2026-03-10,0.050") != std::string::npos);
    CHECK(east.find("540000000001") == std::string::npos);
    CHECK(text(ReportOrder::Kind::completeness, Scope::of(TenantId{1})).find("900000000001,2026-03-10") !=
          std::string::npos);
    CHECK(text(ReportOrder::Kind::completeness, Scope::nothing()).find("9000") == std::string::npos);
}

TEST_CASE("relay rules: a protected or stopped meter is refused at the moment of firing", "[db]") {
    Town town;
    RelayRules rules{town.console}, gate{town.monitor};
    limit(town.console, Scope::of(TenantId{1}));
    CHECK_FALSE(gate.refusal(customer(1), true));
    CHECK(gate.refusal(customer(77), true) == "unknown_meter");
    CHECK(rules.protect(customer(1), "dialysis at home"));
    CHECK_FALSE(rules.protect(customer(77), "no such meter"));
    CHECK(rules.protection(customer(1)) == "dialysis at home");
    CHECK(gate.refusal(customer(1), true) == "protected");
    CHECK_FALSE(gate.refusal(customer(1), false));
    CHECK(rules.protected_among({customer(0), customer(1), customer(2)}).at(0).why == "dialysis at home");
    CHECK(rules.shares({customer(0), customer(1)}).at(0).meters == 2);
    CHECK(rules.stop(TenantId{1}, {quarter(1), "ada", "wrong list"}));
    CHECK_FALSE(rules.stop(TenantId{1}, {quarter(2), "vic", "again"}));
    CHECK(rules.stopped(TenantId{1})->by == "ada");
    CHECK(gate.refusal(customer(2), true) == "stopped");
    CHECK(gate.refusal(customer(2), false) == "stopped");
    CHECK(rules.go_on(TenantId{1}));
    CHECK_FALSE(rules.go_on(TenantId{1}));
    CHECK_FALSE(gate.refusal(customer(2), true));
    CHECK(rules.protect(customer(1), std::nullopt));
    CHECK_FALSE(gate.refusal(customer(1), true));
    limit(town.console, Scope::nothing());
    CHECK_FALSE(rules.protect(customer(1), "not mine to protect"));
}

TEST_CASE("jobs: a proposed one waits for approval, cancelling all takes it too, and undo knows what changed",
          "[db]") {
    Town town;
    Jobs jobs{town.console};
    auto proposed = order("relay");
    proposed.state = JobState::proposed;
    const auto id = jobs.add(proposed, subjects(3));
    CHECK(jobs.claim({"relay"}, "a", quarter(1), quarter(2), 5).empty());
    CHECK_FALSE(jobs.pause(id));
    CHECK(jobs.approve(id, "vic"));
    CHECK_FALSE(jobs.approve(id, "vic"));
    CHECK(jobs.find(id)->approved_by == "vic");
    CHECK(jobs.claim({"relay"}, "a", quarter(1), quarter(2), 5).size() == 1);
    CHECK_FALSE(jobs.finish(id, 1, well("disconnected"), quarter(1)));
    CHECK_FALSE(jobs.finish(id, 2, well("disconnected already"), quarter(1)));
    const auto second = jobs.add(proposed, subjects(1));
    CHECK(jobs.cancel_all("relay", TenantId{2}, quarter(2)) == 0);
    CHECK(jobs.cancel_all("relay", TenantId{1}, quarter(2)) == 2);
    CHECK(jobs.find(second)->state == JobState::cancelled);
    CHECK(jobs.changed(id) == std::vector<std::string>{to_string(customer(0))});
}

TEST_CASE("jobs: what an item was about to do, and its record, are stored with it or not at all", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(order("relay"), subjects(2));
    CHECK(jobs.note(id, 1, "switching"));
    CHECK(jobs.due(id, quarter(1), 10).at(0).detail == "switching");
    auto outcome = well("disconnected");
    outcome.audit = AuditRecord{quarter(1), "ada", "relay disconnect", to_string(customer(0))};
    {
        Transaction lost{town.monitor};
        jobs.finish(id, 1, outcome, quarter(1));
    }
    CHECK(AuditLog{town.console}.latest(5).empty());
    CHECK(jobs.due(id, quarter(1), 10).size() == 2);
    for (int i = 0; i < 2; ++i) jobs.finish(id, 1, outcome, quarter(1));
    CHECK(AuditLog{town.console}.latest(5).size() == 1);
    CHECK_FALSE(jobs.note(id, 1, "too late"));
    CHECK(jobs.items(id, ItemState::done, 1, 5).at(0).detail == "disconnected");
}

}  // namespace wattmesh::test
