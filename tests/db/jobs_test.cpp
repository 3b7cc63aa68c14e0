#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "headend/database/deliveries.h"
#include "headend/database/relay_rules.h"
#include "headend/jobs/read_job.h"
#include "headend/jobs/report_job.h"
#include "tests/db/work_bench.h"

namespace wattmesh::test {
namespace {

std::vector<std::string> subjects(int count) {
    std::vector<std::string> list;
    for (int i = 0; i < count; ++i) list.push_back(to_string(customer(i)));
    return list;
}

Job order(const std::string& kind) { return job_of(kind, quarter(0)); }
ItemOutcome well(const std::string& detail) { return {ItemState::done, detail}; }

/// A process that does jobs, by hand.
struct Hand {
    Hand(Connection& connection, const std::string& owner) : work(connection, owner) {}
    std::vector<HeldJob> claim(const std::string& kind, Instant now, int slots = 5) {
        return work.claim({{kind, slots}}, now, now + std::chrono::seconds{30});
    }
    std::vector<JobItem> begin(JobId id, Instant now, int count = 10) {
        return work.begin(id, now, now + std::chrono::minutes{10}, count, {});
    }
    JobWork work;
};

}  // namespace

TEST_CASE("jobs: every item ends once, the job with its last", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    Hand a{town.monitor, "a"};
    const auto id = jobs.add(order("read"), subjects(3));
    CHECK(jobs.find(id)->state == JobState::queued);
    CHECK(a.claim("report", quarter(1)).empty());
    CHECK(a.begin(id, quarter(1)).empty());  // not ours
    CHECK(a.claim("read", quarter(1)).at(0).id == id);
    CHECK(a.begin(id, quarter(1)).size() == 3);
    CHECK(a.begin(id, quarter(1)).empty());
    CHECK(jobs.find(id)->working == 3);
    CHECK_FALSE(a.work.finish(id, 1, well("1"), quarter(1)));
    CHECK_FALSE(a.work.finish(id, 1, well("again"), quarter(1)));  // told before
    CHECK_FALSE(a.work.finish(id, 2, {ItemState::waiting, "busy", quarter(3)}, quarter(1)));
    CHECK(a.begin(id, quarter(1)).empty());
    CHECK(a.claim("read", quarter(3)).at(0).begins);
    CHECK(a.begin(id, quarter(3)).at(0).attempts == 1);
    CHECK_FALSE(a.work.finish(id, 2, {ItemState::failed, "refused"}, quarter(3)));
    CHECK(a.work.finish(id, 3, well("3"), quarter(4)));
    const auto job = jobs.find(id).value();
    CHECK(job.state == JobState::done);
    CHECK(job.done == 2);
    CHECK(job.failed == 1);
    CHECK(job.finished == quarter(4));
    CHECK(jobs.items(id, ItemState::failed, 1, 10).at(0).detail == "refused");
    CHECK(jobs.items(id, std::nullopt, 2, 1).at(0).subject == to_string(customer(1)));
    CHECK(a.claim("read", quarter(5)).empty());
    CHECK_FALSE(jobs.cancel(id, quarter(5)));
}

TEST_CASE("jobs: what has priority goes first, then what was ordered first; who waits takes no slot",
          "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    Hand a{town.monitor, "a"};
    const auto first = jobs.add(order("read"), subjects(1)), second = jobs.add(order("read"), subjects(1));
    CHECK(a.claim("read", quarter(1), 1).at(0).id == first);
    CHECK(a.begin(first, quarter(1)).size() == 1);
    auto urgent = order("read");
    urgent.priority = 100;
    const auto third = jobs.add(urgent, subjects(1));
    // What is in hand is kept, but nothing more of it is begun.
    for (const auto& job : a.claim("read", quarter(1), 1)) CHECK(job.begins == (job.id == third));
    CHECK(jobs.find(first)->state == JobState::running);
    a.begin(third, quarter(1));
    CHECK_FALSE(a.work.finish(third, 1, {ItemState::waiting, "busy", quarter(3)}, quarter(1)));
    CHECK_FALSE(a.work.finish(first, 1, {ItemState::waiting, "busy", quarter(3)}, quarter(1)));
    const auto now = a.claim("read", quarter(1), 1);
    REQUIRE(now.size() == 1);
    CHECK(now[0].id == second);
    // Another kind has slots of its own.
    const auto relay = jobs.add(order("relay"), subjects(1));
    const auto both = a.work.claim({{"read", 1}, {"relay", 1}}, quarter(1), quarter(2));
    CHECK(both.size() == 2);
    CHECK(std::any_of(both.begin(), both.end(), [&](const auto& job) { return job.id == relay; }));
}

TEST_CASE("jobs: a process that died leaves its jobs to another, a living one keeps them", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    Hand a{town.monitor, "a"}, b{town.monitor, "b"};
    const Instant now = quarter(1), later = now + std::chrono::seconds{30};
    const auto id = jobs.add(order("read"), subjects(3));
    CHECK(a.claim("read", now).size() == 1);
    CHECK(a.begin(id, now, 1).size() == 1);
    CHECK(b.claim("read", now).empty());
    SECTION("without a word") {
        CHECK(b.claim("read", later).size() == 1);
        CHECK(a.claim("read", later).empty());
        // What it had in hand it may have in hand yet.
        const auto next = b.begin(id, later);
        CHECK(next.size() == 2);
        CHECK_FALSE(next.at(0).taken_up);
        const Instant dead = now + std::chrono::minutes{10};
        b.claim("read", dead);
        const auto left = b.begin(id, dead, 1);
        REQUIRE(left.size() == 1);
        CHECK(left[0].place == 1);
        CHECK(left[0].taken_up);
        // It was not dead: its record is kept, the outcome is b's.
        auto outcome = well("a");
        outcome.audit = AuditRecord{now, "ada", "read", to_string(customer(0))};
        outcome.sent = true;
        CHECK_FALSE(a.work.finish(id, 1, outcome, dead));
        CHECK(AuditLog{town.console}.latest(5).size() == 1);
        CHECK(jobs.items(id, ItemState::working, 1, 1).at(0).place == 1);
        CHECK(jobs.changed(id).size() == 1);
        CHECK_FALSE(b.work.finish(id, 1, well("b"), dead));
        CHECK(jobs.items(id, ItemState::done, 1, 1).at(0).detail == "b");
    }
    SECTION("letting go") {
        a.work.release();
        CHECK(b.claim("read", now).size() == 1);
        const auto next = b.begin(id, now);
        REQUIRE(next.size() == 3);
        CHECK(next[0].taken_up);
        CHECK_FALSE(next[1].taken_up);
    }
}

TEST_CASE("jobs: a claim waits for a row that the same process is just storing into", "[db]") {
    Town town;
    const auto id = Jobs{town.monitor}.add(order("read"), subjects(2));
    Hand a{town.monitor, "a"};
    a.claim("read", quarter(1));
    a.begin(id, quarter(1), 1);
    Connection other{town.database.settings("wm_monitor")};
    std::future<std::vector<HeldJob>> looking;
    {
        Transaction storing{town.monitor};
        a.work.finish(id, 1, well("1"), quarter(1));
        looking = std::async(std::launch::async, [&] {
            Transaction transaction{other};
            auto jobs = Hand{other, "a"}.claim("read", quarter(1));
            transaction.commit();
            return jobs;
        });
        CHECK(looking.wait_for(std::chrono::milliseconds{300}) == std::future_status::timeout);
        storing.commit();
    }
    CHECK(looking.get().size() == 1);
}

TEST_CASE("jobs: pause, resume, cancel; nothing hangs past its deadline", "[db]") {
    Town town;
    Jobs jobs{town.console};
    Hand a{town.monitor, "a"};
    const auto id = jobs.add(order("read"), subjects(3));
    CHECK(jobs.pause(id));
    CHECK_FALSE(jobs.pause(id));
    CHECK(a.claim("read", quarter(1)).empty());
    CHECK(jobs.resume(id));
    CHECK_FALSE(jobs.resume(id));
    a.claim("read", quarter(1));
    a.begin(id, quarter(1), 2);
    CHECK_FALSE(a.work.finish(id, 1, well("1"), quarter(1)));
    auto late = well("late");
    late.audit = AuditRecord{quarter(2), "ada", "read", to_string(customer(1))};
    late.sent = true;
    SECTION("cancelled: what is in hand is stored all the same") {
        const Instant soon = quarter(1) + std::chrono::minutes{1};
        CHECK(jobs.cancel(id, quarter(2)));
        CHECK_FALSE(jobs.find(id)->over());
        CHECK(jobs.items(id, ItemState::cancelled, 1, 10).size() == 1);
        CHECK_FALSE(a.claim("read", soon).at(0).begins);
        CHECK(a.begin(id, soon).empty());
        CHECK_FALSE(a.work.finish(id, 2, late, quarter(2)));
        const auto job = jobs.find(id).value();
        CHECK(job.state == JobState::cancelled);
        CHECK(job.over());
        CHECK(job.done == 2);
        CHECK(jobs.items(id, ItemState::done, 2, 1).at(0).detail == "late");
        CHECK(jobs.changed(id) == std::vector<std::string>{to_string(customer(1))});
        CHECK(AuditLog{town.console}.latest(5).size() == 1);
        CHECK(a.claim("read", quarter(3)).empty());
    }
    SECTION("cancelled: what would be tried again is not") {
        CHECK(jobs.cancel(id, quarter(2)));
        CHECK_FALSE(a.work.finish(id, 2, {ItemState::waiting, "busy", quarter(3)}, quarter(2)));
        CHECK(jobs.items(id, ItemState::cancelled, 1, 10).size() == 2);
        CHECK(jobs.find(id)->over());
    }
    SECTION("too late, even while paused") {
        CHECK(jobs.pause(id));
        a.claim("read", quarter(96));
        CHECK(jobs.find(id)->state == JobState::paused);  // one is in hand yet
        CHECK(jobs.items(id, ItemState::failed, 1, 10).at(0).detail == "not done by the deadline");
        CHECK(a.work.finish(id, 2, late, quarter(96)));
        CHECK(jobs.find(id)->state == JobState::done);
        CHECK(jobs.find(id)->failed == 1);
        CHECK(jobs.find(id)->done == 2);
        CHECK(AuditLog{town.console}.latest(5).size() == 1);
    }
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
    CHECK_FALSE(outcome.counts);                                     // its link may be another process's
    CHECK(outcome.again == quarter(4) + std::chrono::seconds{450});  // ordered an hour ago
    fault = "no_answer";
    ask();
    CHECK(outcome.counts);
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
    Hand a{town.monitor, "a"};
    CHECK(a.claim("relay", quarter(1)).empty());
    CHECK_FALSE(jobs.pause(id));
    CHECK(jobs.approve(id, "vic"));
    CHECK_FALSE(jobs.approve(id, "vic"));
    CHECK(jobs.find(id)->approved_by == "vic");
    CHECK(a.claim("relay", quarter(1)).size() == 1);
    a.begin(id, quarter(1));
    auto sent = well("disconnected");
    sent.sent = true;
    CHECK_FALSE(a.work.finish(id, 1, sent, quarter(1)));
    CHECK_FALSE(a.work.finish(id, 2, well("disconnected already"), quarter(1)));
    // Nobody saw how it ended: it may be dark.
    sent.state = ItemState::failed;
    sent.detail = "not_verified";
    const auto second = jobs.add(proposed, subjects(1));
    CHECK(jobs.cancel_all("relay", TenantId{2}, quarter(2)) == 0);
    CHECK(jobs.cancel_all("relay", TenantId{1}, quarter(2)) == 2);
    CHECK(jobs.find(second)->state == JobState::cancelled);
    CHECK_FALSE(a.work.finish(id, 3, sent, quarter(2)));
    CHECK(jobs.changed(id) == std::vector<std::string>{to_string(customer(0)), to_string(customer(2))});
}

TEST_CASE("jobs: who cut a meter off last is said by what was sent, and by what is in hand", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    Deliveries deliveries{town.monitor};
    const auto off = R"({"verb":"disconnect"})", on = R"({"verb":"reconnect"})";
    CHECK_FALSE(deliveries.cut_off(customer(0)));
    const auto first = jobs.add(job_of("relay", quarter(0), off), subjects(1));
    CHECK_FALSE(deliveries.cut_off(customer(0)));
    begin_items(town.monitor, first, quarter(1));
    CHECK(deliveries.cut_off(customer(0)));
    ItemOutcome outcome{ItemState::failed, "no_effect"};
    outcome.sent = true;
    end_item(town.monitor, first, 1, outcome, quarter(1));
    CHECK(deliveries.cut_off(customer(0)));
    end_item(town.monitor, jobs.add(job_of("relay", quarter(1), on), subjects(1)), 1, well("connected"),
             quarter(2));
    CHECK_FALSE(deliveries.cut_off(customer(0)));
    end_item(town.monitor, jobs.add(job_of("relay", quarter(2), off), subjects(1)), 1,
             {ItemState::failed, "offline"}, quarter(3));
    CHECK_FALSE(deliveries.cut_off(customer(0)));
}

TEST_CASE("jobs: an outcome, its record and what goes with it are stored together or not at all", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    Hand a{town.monitor, "a"};
    const auto id = jobs.add(order("relay"), subjects(2));
    a.claim("relay", quarter(1));
    a.begin(id, quarter(1), 1);
    auto outcome = well("disconnected");
    outcome.audit = AuditRecord{quarter(1), "ada", "relay disconnect", to_string(customer(0))};
    int together = 0;
    outcome.also = [&](Connection&) { ++together; };
    {
        Transaction lost{town.monitor};
        a.work.finish(id, 1, outcome, quarter(1));
    }
    CHECK(AuditLog{town.console}.latest(5).empty());
    CHECK(jobs.find(id)->working == 1);
    for (int i = 0; i < 2; ++i) a.work.finish(id, 1, outcome, quarter(1));
    CHECK(AuditLog{town.console}.latest(5).size() == 1);
    CHECK(together == 2);
    CHECK(jobs.items(id, ItemState::done, 1, 5).at(0).detail == "disconnected");
}

}  // namespace wattmesh::test
