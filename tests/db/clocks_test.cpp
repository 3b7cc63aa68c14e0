#include "headend/database/clocks.h"
#include "headend/database/aggregates.h"
#include "headend/database/scope.h"
#include "headend/database/validation_days.h"
#include "headend/monitor/clock_job.h"
#include "headend/monitor/clock_watch.h"
#include "headend/monitor/validator.h"
#include "tests/db/real_meter.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using namespace headend;

struct Monitor : RealMeter {
    explicit Monitor(Duration offset, std::int32_t drift_ppm = 0)
        : RealMeter(offset, drift_ppm),
          desk(
              keys, on_demand, road.carry(), [this] { return clock->at; }, ciphers, random),
          kind(
              queue, desk, [] {}, [this] { return clock->at; }),
          watch(loop, queue, desk, [] {}),
          runner(loop, {.owner = "a", .look_real = look}, queue, {&kind}) {}
    ~Monitor() {
        watch.stop();
        runner.stop();
    }
    JobId order(std::vector<std::string> subjects = {to_string(customer(1))}) {
        return RealMeter::order("clock", "{}", std::move(subjects));
    }
    std::vector<ClockCorrection> corrections() {
        limit(town.console, Scope::of(TenantId{1}));
        return Clocks{town.console}.corrections(customer(1), 10);
    }

    monitor::ClockDesk desk;
    monitor::ClockJob kind;
    monitor::ClockWatch watch;
    jobs::JobRunner runner;
};

}  // namespace

TEST_CASE("clocks: a slow meter is set, says so afterwards, and who did it why stands in the audit log",
          "[db]") {
    Monitor monitor{-200s};
    const auto job = monitor.order();
    monitor.runner.start();
    monitor.turn();
    const auto item = monitor.item(job);
    CHECK(item.state == ItemState::done);
    CHECK(item.detail.starts_with("set: -200.0 s to "));
    CHECK(std::chrono::abs(monitor.meter.offset(monitor.clock->at)) <= 1s);
    const auto made = monitor.corrections();
    REQUIRE(made.size() == 1);
    CHECK(made[0].result == "set");
    CHECK(made[0].shift_s == 200);
    CHECK(made[0].before == -200s);
    CHECK(std::chrono::abs(made[0].after.value()) < 1s);
    CHECK(made[0].to - made[0].from == 200s);
    CHECK(made[0].job == job);
    CHECK(monitor.town.value(
              "select count(*) from audit where action = 'clock set' and actor = 'ada' and reason = "
              "'test' and subject = '540000000001' and before = '-200.0 s' and after like "
              "'%0._ s' and tenant = 1") == 1);
    CHECK(monitor.town.value("select abs(offset_ms) from meter_clock") < 1'000);

    // A second order finds it right, and leaves it alone.
    const auto again = monitor.order();
    monitor.turn();
    CHECK(monitor.item(again).detail.starts_with("right: "));
    CHECK(monitor.corrections().size() == 1);
}

TEST_CASE("clocks: near the end of an interval an order waits, and then goes on", "[db]") {
    Monitor monitor{-200s};
    monitor.clock->at = midnight + 10h + 14min;
    const auto job = monitor.order();
    monitor.runner.start();
    monitor.turn();
    CHECK(monitor.item(job).state == ItemState::waiting);
    CHECK(monitor.item(job).detail.find("waits until it is away") != std::string::npos);
    CHECK(monitor.item(job).attempts == 0);  // that is nobody's try
    CHECK(monitor.meter.offset(monitor.clock->at) == -200s);
    CHECK(monitor.corrections().empty());
    monitor.clock->at = midnight + 10h + 20min;
    monitor.turn();
    CHECK(monitor.item(job).state == ItemState::done);
    const auto made = monitor.corrections();
    REQUIRE(made.size() == 1);
    // what it jumped over touches no interval's end
    CHECK((made[0].from - midnight) / 15min == (made[0].to - midnight) / 15min);
}

TEST_CASE("clocks: two turns on one meter shift it once", "[db]") {
    Monitor monitor{-200s};
    const auto one = monitor.order(), two = monitor.order();
    monitor.runner.start();
    for (int i = 0; i < 8; ++i) {
        monitor.turn(1);
        monitor.clock->at += 1s;
    }
    CHECK(std::chrono::abs(monitor.meter.offset(monitor.clock->at)) <= 1s);
    monitor.clock->at += 2min;
    monitor.turn();
    CHECK(std::chrono::abs(monitor.meter.offset(monitor.clock->at)) <= 1s);
    CHECK(monitor.item(one).state == ItemState::done);
    CHECK(monitor.item(two).state == ItemState::done);
    CHECK(monitor.town.value("select count(*) from clock_correction where result = 'set'") == 1);
}

TEST_CASE("clocks: what is too near to the end of an interval by the time of firing is held back", "[db]") {
    Monitor monitor{-200s};
    monitor.road.leg = 5s;  // measured it may be set, but then asking again takes half a minute
    monitor.clock->at = midnight + 10h + 13min;
    const auto job = monitor.order();
    monitor.runner.start();
    monitor.turn(1);
    CHECK(monitor.item(job).state == ItemState::waiting);
    CHECK(monitor.item(job).detail == "the clock was not as measured any more");
    CHECK(monitor.meter.offset(monitor.clock->at) == -200s);
    monitor.road.leg = 700ms;
    monitor.clock->at = midnight + 10h + 20min;
    monitor.turn();
    CHECK(monitor.item(job).state == ItemState::done);
}

TEST_CASE("clocks: a shift of a dead process is ended as the clock says", "[db]") {
    Monitor monitor{-200s};
    const auto job = monitor.order();
    begin_items(monitor.town.monitor, job, monitor.clock->at, "dead");
    Clocks{monitor.town.monitor}.begin({.meter = customer(1),
                                        .at = monitor.clock->at,
                                        .before = -200s,
                                        .shift_s = 200,
                                        .from = monitor.clock->at - 200s,
                                        .to = monitor.clock->at,
                                        .job = job,
                                        .ordered_by = "ada"});
    const bool sent = GENERATE(true, false);
    CAPTURE(sent);
    if (sent) monitor.meter.set_back(monitor.clock->at, -200s);
    monitor.clock->at += 20min;
    monitor.runner.start();
    monitor.turn();
    CHECK(monitor.item(job).state == ItemState::done);
    CHECK(std::chrono::abs(monitor.meter.offset(monitor.clock->at)) <= 1s);
    CHECK(monitor.town.value("select count(*) from clock_correction where result = 'sent'") == 0);
    CHECK(monitor.town.value("select count(*) from clock_correction") == (sent ? 1 : 2));
    CHECK(monitor.town.value("select count(*) from audit where action = 'clock set'") == 1);
}

TEST_CASE("clocks: a clock too far off, and one that nobody reaches, are left and named", "[db]") {
    Monitor monitor{-1000s};
    const auto job = monitor.order();
    monitor.runner.start();
    monitor.turn();
    CHECK(monitor.item(job).state == ItemState::failed);
    CHECK(monitor.item(job).detail == "-1000.0 s is more than 900 s: somebody has to look at the meter");
    limit(monitor.town.console, Scope::of(TenantId{1}));
    auto offenders = Clocks{monitor.town.console}.offenders(monitor.clock->at, 10);
    REQUIRE(offenders.size() == 1);
    CHECK(offenders[0].meter == customer(1));
    CHECK(offenders[0].corrections == 0);
    monitor.road.status = frontend::RelayStatus::unreachable;
    const auto lost = monitor.order();
    monitor.turn();
    CHECK(monitor.item(lost).state == ItemState::waiting);
    CHECK(monitor.item(lost).detail == "unreachable");
    const auto stranger = monitor.order({"540000009999"});
    monitor.turn();
    CHECK(monitor.item(stranger).detail == "has no clock that can be set");
}

TEST_CASE("clocks: a lost answer is followed by a question; one that was set three times is an offender",
          "[db]") {
    Monitor monitor{-200s};
    monitor.road.lose_deed = true;
    monitor.runner.start();
    for (int i = 0; i < 3; ++i) {
        const auto job = monitor.order();
        monitor.turn();
        CHECK(monitor.item(job).state == ItemState::done);
        monitor.clock->at = midnight + std::chrono::hours{34 + 24 * i} + 5min;
        monitor.meter.set_back(monitor.clock->at, 100s);
    }
    limit(monitor.town.console, Scope::of(TenantId{1}));
    Clocks clocks{monitor.town.console};
    CHECK(clocks.corrections({}, 10).size() == 3);
    REQUIRE(clocks.offenders(monitor.clock->at, 10).size() == 1);
    CHECK(clocks.offenders(monitor.clock->at, 10)[0].corrections == 3);
    CHECK(clocks.offenders(monitor.clock->at + 91 * 24h, 10).empty());
    CHECK(clocks.corrections(customer(0), 10).empty());
    limit(monitor.town.console, Scope::nothing());
    CHECK(clocks.offenders(monitor.clock->at, 10).empty());
    CHECK(clocks.corrections({}, 10).empty());
    CHECK(clocks.totals().measured == 0);
}

TEST_CASE("clocks: every meter is asked once a day, its drift is told, and what is off is ordered by itself",
          "[db]") {
    Monitor monitor{-50s, -400};
    monitor.town.admin.execute("delete from meter where number <> 540000000001", "leaving one meter");
    Clocks clocks{monitor.town.monitor};
    CHECK(clocks.take_up(monitor.clock->at, 100) == 1);
    CHECK(clocks.take_up(monitor.clock->at, 100) == 0);
    const auto due = from_epoch_us(monitor.town.value("select next_us from meter_clock"));
    CHECK(due >= monitor.clock->at);
    CHECK(due < monitor.clock->at + 24h);
    CHECK(clocks.claim(due - 1s, 10).empty());
    monitor.clock->at = due;
    monitor.watch.start();
    const auto ask = [&] {
        std::this_thread::sleep_for(2100ms);
        monitor.turn(1);
    };
    monitor.road.turn(monitor.meter, monitor.keys, monitor.clock->at);
    const auto first = monitor.town.value("select offset_ms from meter_clock");
    CHECK(first < -60'000);
    CHECK(monitor.town.value("select next_us from meter_clock") > epoch_us(due + 23h));
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at) == 1);
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at) == 0);
    CHECK(monitor.town.value("select count(*) from job where kind = 'clock' and requested_by = 'monitor'") ==
          1);
    monitor.clock->at += 24h;
    ask();
    limit(monitor.town.console, Scope::of(TenantId{1}));
    const auto line = Clocks{monitor.town.console}.list(-900, -60, 10).at(0);
    CHECK(line.drift_ppm.value() == Approx(-400).margin(2));
    const auto totals = Clocks{monitor.town.console}.totals();
    CHECK(totals.meters == 1);
    CHECK(totals.measured == 1);
    // While an order is open there is no second one.
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at + 24h) == 0);
    monitor.town.admin.execute("update job_item set state = 'working'", "beginning it");
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at + 24h) == 0);
    monitor.town.admin.execute("update job_item set state = 'cancelled'", "cancelling it");
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at + 24h) == 1);
    monitor.town.admin.execute("update job_item set state = 'cancelled'", "cancelling it");
    // A utility that wants no such orders has none.
    auto rule = clocks.rules(TenantId{1}).at(1);
    REQUIRE(rule.meter_class == "household");
    rule.automatic = false;
    CHECK(Clocks{monitor.town.admin}.put(TenantId{1}, rule));
    CHECK(monitor::order_corrections(monitor.town.monitor, monitor.clock->at + 48h) == 0);
}

TEST_CASE("clocks: nobody is asked over a concentrator that is away, and who does not answer later and later",
          "[db]") {
    Monitor monitor{0s};
    Clocks clocks{monitor.town.monitor};
    clocks.take_up(midnight, 100);
    const Instant later = midnight + 25h;
    monitor.town.admin.execute("update concentrator set link = 0", "disconnecting");
    CHECK(clocks.claim(later, 10).empty());
    monitor.town.admin.execute("update concentrator set link = 1", "connecting");
    CHECK(clocks.claim(later, 10).size() == 2);
    CHECK(clocks.claim(later + 14min, 10).empty());
    CHECK(clocks.claim(later + 15min, 1).size() == 1);
    clocks.missed(customer(1), "no_answer");
    CHECK(monitor.town.value("select count(*) from meter_clock where fault = 'no_answer'") == 1);
    CHECK(monitor.town.value("select max(next_us) from meter_clock") == epoch_us(later + 45min));
}

TEST_CASE("clocks: the interval in which a clock was set is marked by validation", "[db]") {
    Monitor monitor{-200s};
    const auto job = monitor.order();
    monitor.runner.start();
    monitor.turn();
    REQUIRE(monitor.item(job).state == ItemState::done);
    // Also where the meter said afterwards that nothing had come of it: who knows what it did in between.
    const std::string result = GENERATE("set", "no_effect");
    monitor.town.admin.execute("update clock_correction set result = '" + result + "'",
                               "noting how it ended");
    const Instant begin = midnight - 330min;
    std::vector<dcu::IntervalRow> rows;
    for (int i = 0; i < 96; ++i) rows.push_back(interval(begin + 15min * (i + 1), 4 + i % 7));
    monitor.town.store(monitor.town.batch(0, 1, {Town::entry(1, 1, rows)}));
    Aggregates{monitor.town.monitor}.work(100, begin + 76h);
    REQUIRE(monitor::validate_days(monitor.town.monitor, 100, begin + 75h) > 0);
    limit(monitor.town.console, Scope::of(TenantId{1}));
    const auto found = ValidationDays{monitor.town.console}.list("clock_set", customer(1), 10);
    REQUIRE(found.size() == 1);
    CHECK(found[0].first == midnight + 10h + 15min);
    CHECK(found[0].last == found[0].first);
    CHECK(found[0].quality == "1.4.9");
    CHECK(found[0].value == 200);
}

}  // namespace wattmesh::test
