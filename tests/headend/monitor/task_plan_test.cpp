#include "headend/monitor/task_plan.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace wattmesh;
using namespace wattmesh::headend::monitor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Instant midnight{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};
const TaskSchedule quarterly{.period = minutes{15},
                             .delay = seconds{20},
                             .deadline = hours{1},
                             .answer_max = minutes{2},
                             .retry_first = seconds{30},
                             .retry_longest = minutes{4},
                             .priority = 1};

}  // namespace

TEST_CASE("task plan: a task falls due after its period, is begun once, and comes again", "[monitor]") {
    TaskPlan plan;
    const auto task = plan.add(plan.add_schedule(quarterly), midnight + seconds{20});
    CHECK(plan.take(midnight + seconds{19}, 10).empty());
    CHECK(plan.wake() == midnight + seconds{20});
    REQUIRE(plan.take(midnight + seconds{20}, 10) == std::vector{task});
    CHECK(plan.take(midnight + seconds{21}, 10).empty());
    plan.done(task, midnight + seconds{25});
    CHECK(plan.state(task) == TaskState::waiting);
    CHECK(plan.due(task) == midnight + minutes{15} + seconds{20});
    CHECK(plan.take(midnight + minutes{15}, 10).empty());
    CHECK(plan.take(midnight + minutes{16}, 10).size() == 1);
}

TEST_CASE("task plan: priority first, then what is due next; no more than asked for", "[monitor]") {
    TaskPlan plan;
    auto urgent = quarterly;
    urgent.priority = 0;
    urgent.deadline = hours{8};
    const auto usual = plan.add_schedule(quarterly), first = plan.add_schedule(urgent);
    const auto later = plan.add(usual, midnight + minutes{5});
    const auto sooner = plan.add(usual, midnight);
    const auto urgent_task = plan.add(first, midnight + minutes{9});
    const auto now = midnight + minutes{10};
    CHECK(plan.take(now, 0).empty());
    CHECK(plan.take(now, 2) == std::vector{urgent_task, sooner});
    CHECK(plan.take(now, 2) == std::vector{later});
}

TEST_CASE("task plan: failures back off, doubled up to the longest, and success forgets them", "[monitor]") {
    TaskPlan plan;
    const auto task = plan.add(plan.add_schedule(quarterly), midnight);
    auto now = midnight;
    for (const int wait_s : {30, 60, 120, 240, 240}) {
        REQUIRE(plan.take(now, 1).size() == 1);
        plan.failed(task, now);
        CHECK(plan.state(task) == TaskState::retrying);
        CHECK(plan.take(now + seconds{wait_s - 1}, 1).empty());
        now += seconds{wait_s};
        CHECK(plan.due(task) == now);
    }
    REQUIRE(plan.take(now, 1).size() == 1);
    plan.done(task, now, now + seconds{1});
    now += seconds{1};
    REQUIRE(plan.take(now, 1).size() == 1);
    plan.failed(task, now);
    CHECK(plan.due(task) == now + seconds{30});
}

TEST_CASE("task plan: what was begun and never heard of fails, and a backlog past its deadline is late once",
          "[monitor]") {
    TaskPlan plan;
    const auto schedule = plan.add_schedule(quarterly);
    const auto task = plan.add(schedule, midnight);
    REQUIRE(plan.take(midnight, 1).size() == 1);
    CHECK(plan.expire(midnight + seconds{119}).empty());
    CHECK(plan.expire(midnight + minutes{2}) == std::vector{task});
    CHECK(plan.state(task) == TaskState::retrying);
    CHECK(plan.counters().expired == 1);
    REQUIRE(plan.take(midnight + minutes{10}, 1).size() == 1);
    plan.heard(task, midnight + minutes{11});
    CHECK(plan.expire(midnight + seconds{779}).empty());
    CHECK(plan.expire(midnight + minutes{13}).size() == 1);
    plan.remove(task);
    CHECK(plan.size() == 0);
    CHECK(plan.take(midnight + hours{1}, 1).empty());

    const auto waiting = plan.add(schedule, midnight);
    plan.expire(midnight + minutes{59});
    CHECK(plan.counters().late == 0);
    plan.expire(midnight + minutes{61});
    plan.expire(midnight + minutes{90});
    CHECK(plan.counters().late == 1);
    CHECK(plan.take(midnight + minutes{90}, 1) == std::vector{waiting});
}

TEST_CASE("task plan: what is hastened comes earlier and never later", "[monitor]") {
    TaskPlan plan;
    const auto task = plan.add(plan.add_schedule(quarterly), midnight + hours{1});
    plan.hasten(task, midnight + hours{2});
    CHECK(plan.due(task) == midnight + hours{1});
    plan.hasten(task, midnight + minutes{1});
    REQUIRE(plan.take(midnight + minutes{1}, 1).size() == 1);
    plan.hasten(task, midnight + minutes{2});  // while it is begun: kept until it ends
    plan.done(task, midnight + minutes{3});
    CHECK(plan.take(midnight + minutes{3}, 1).size() == 1);
    plan.failed(task, midnight + minutes{3});
    plan.hasten(task, midnight + minutes{3});
    CHECK(plan.take(midnight + minutes{3}, 1).size() == 1);
}

TEST_CASE("task plan: whatever happens, no task is begun twice and every one comes again", "[monitor]") {
    const unsigned seed = 20261123;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    TaskPlan plan;
    const auto schedule = plan.add_schedule(quarterly);
    std::map<TaskId, Instant> begun_at;  // last time
    for (int i = 0; i < 200; ++i) begun_at[plan.add(schedule, midnight + seconds{random() % 900})] = midnight;
    std::map<TaskId, bool> begun;
    for (int second = 0; second < 3 * 3'600; second += 1 + static_cast<int>(random() % 20)) {
        const auto now = midnight + seconds{second};
        for (const auto task : plan.expire(now)) CHECK(begun.erase(task) == 1);
        for (const auto task : plan.take(now, random() % 40)) {
            CHECK(begun.emplace(task, true).second);
            begun_at[task] = now;
        }
        for (const auto task : plan.expire(now)) CHECK(begun.erase(task) == 1);
        for (auto at = begun.begin(); at != begun.end();) {
            const auto chance = random() % 10;
            if (chance < 3)
                plan.done(at->first, now);
            else if (chance < 5)
                plan.failed(at->first, now);
            else if (chance < 6)
                plan.hasten(at->first, now + seconds{random() % 100});
            at = chance < 5 ? begun.erase(at) : std::next(at);
        }
        REQUIRE(plan.count(TaskState::begun) == begun.size());
    }
    for (const auto& [task, at] : begun_at) CHECK(at > midnight + hours{2});
}
