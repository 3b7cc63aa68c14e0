#include "headend/jobs/job_runner.h"

#include <catch2/catch.hpp>
#include <thread>

#include "headend/jobs/retry.h"
#include "platform/worker_queue.h"
#include "tests/db/work_bench.h"

namespace wattmesh::test {
namespace {

using headend::jobs::JobKind;
using headend::jobs::JobRunner;

std::vector<std::string> meters(int count) {
    std::vector<std::string> list;
    for (int i = 0; i < count; ++i) list.push_back(to_string(customer(i)));
    return list;
}

/// Ends an item when the test says so.
class HeldKind : public JobKind {
public:
    std::string name() const override { return "held"; }
    int at_once() const override { return 3; }
    void work(const Job&, const JobItem& item, Done done) override {
        begun.push_back(item);
        open.emplace_back(item, std::move(done));
    }
    void end_first(const ItemOutcome& outcome) {
        auto [item, done] = std::move(open.front());
        open.erase(open.begin());
        done(outcome);
    }
    std::vector<JobItem> begun;
    std::vector<std::pair<JobItem, Done>> open;
};
ItemOutcome ended(const std::string& detail) { return {ItemState::done, detail}; }

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
    std::shared_ptr<MovedClock> clock = std::make_shared<MovedClock>(quarter(1));
    platform::Loop loop{clock};
    Direct executor;
    QueryQueue queue;
    HeldKind kind;
    JobRunner runner;
};

/// As in the head-end: two threads, each with a connection, and a loop that hears of them later.
struct Process {
    explicit Process(Town& town)
        : queue(
              town.database.settings("wm_monitor"), 2, workers, [this](auto f) { loop.post(std::move(f)); },
              [](const std::string& line) { FAIL_CHECK(line); }),
          runner(loop, {.owner = "p", .look_real = Work::look}, queue, {&kind}) {}
    ~Process() {
        runner.stop();
        workers.stop();
    }
    template <class Until>
    bool until(Until reached) {
        for (int i = 0; i < 2000 && !reached(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
            loop.poll();
        }
        return reached();
    }
    std::shared_ptr<MovedClock> clock = std::make_shared<MovedClock>(quarter(1));
    platform::Loop loop{clock};
    platform::WorkerQueue workers{loop, 2, 64};
    QueryQueue queue;
    HeldKind kind;
    JobRunner runner;
};

}  // namespace

TEST_CASE("job runner: some items at once, the rest as they end, and an end loses none", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(8));
    const bool crashes = GENERATE(false, true);
    {
        Work work{town, "first"};
        work.runner.start();
        work.turn();
        REQUIRE(work.kind.open.size() == 3);
        work.kind.end_first(ended("1"));
        work.kind.end_first({ItemState::failed, "refused"});
        work.turn();
        CHECK(work.kind.open.size() == 3);
        CHECK(jobs.find(id)->done == 1);
        CHECK(jobs.find(id)->failed == 1);
        if (!crashes) work.runner.stop();
    }  // with three in hand
    Work work{town, "second"};
    work.runner.start();
    if (crashes) {
        work.turn(3);
        CHECK(work.kind.open.empty());
        work.clock->at = quarter(1) + std::chrono::seconds{31};
        work.turn(3);
        CHECK(work.kind.open.size() == 3);
        CHECK_FALSE(work.kind.open.at(0).first.taken_up);
        work.clock->at = quarter(1) + std::chrono::minutes{11};
    }
    for (int i = 0; i < 40 && jobs.find(id)->open(); ++i) {
        work.turn(2);
        while (!work.kind.open.empty()) work.kind.end_first(ended("x"));
    }
    CHECK(jobs.find(id)->state == JobState::done);
    CHECK(jobs.find(id)->done == 7);
    CHECK(work.kind.begun.size() == 6);
    CHECK(std::ranges::count_if(work.kind.begun, [](const auto& item) { return item.taken_up; }) == 3);
}

TEST_CASE("job runner: a pause stops what is not begun, what is in hand is still stored", "[db]") {
    Town town;
    Jobs jobs{town.console};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(8));
    Work work{town, "first"};
    work.runner.start();
    work.turn();
    REQUIRE(work.kind.open.size() == 3);
    CHECK(jobs.pause(id));
    work.turn();
    work.kind.end_first(ended("1"));
    work.turn();
    CHECK(work.kind.open.size() == 2);
    CHECK(jobs.find(id)->done == 1);
    CHECK(jobs.resume(id));
    work.turn();
    CHECK(work.kind.open.size() >= 3);
    CHECK(jobs.cancel(id, quarter(3)));
    work.turn();
    const auto in_hand = static_cast<int>(work.kind.open.size());
    while (!work.kind.open.empty()) work.kind.end_first(ended("late"));
    work.turn();
    CHECK(work.kind.open.empty());
    CHECK(jobs.find(id)->done == 1 + in_hand);
    CHECK(work.kind.begun.size() == 1U + static_cast<unsigned>(in_hand));
}

TEST_CASE("job runner: what never works fails in the end", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(1));
    Work work{town, "first"};
    work.runner.start();
    int asked = 0;
    for (int i = 0; i < 100 && jobs.find(id)->open(); ++i) {
        work.turn(2);
        while (!work.kind.open.empty()) {
            ++asked;
            work.kind.end_first({ItemState::waiting, "no_answer", work.clock->at + std::chrono::minutes{1}});
        }
        work.clock->at += std::chrono::minutes{1};
    }
    CHECK(asked == JobWork::attempts_max);
    CHECK(jobs.find(id)->failed == 1);
    CHECK(jobs.items(id, std::nullopt, 1, 1).at(0).detail == "no_answer");
}

TEST_CASE("job runner: waiting for a window or for a link is no attempt; the deadline ends it", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(1));
    Work work{town, "first"};
    work.runner.start();
    for (int i = 0; i < 20; ++i) {
        work.turn(2);
        REQUIRE(work.kind.open.size() == 1);
        const auto job = jobs.find(id).value();
        const auto item = work.kind.open.front().first;
        work.kind.end_first(i % 2 == 0
                                ? headend::jobs::later("window", work.clock->at + std::chrono::minutes{1})
                                : headend::jobs::again(job, item, "offline", work.clock->at));
        CHECK(jobs.items(id, ItemState::waiting, 1, 1).at(0).attempts == 0);
        work.clock->at += std::chrono::minutes{15};
    }
    work.clock->at = quarter(96);
    work.turn(2);
    CHECK(jobs.items(id, ItemState::failed, 1, 1).at(0).detail == "not done by the deadline");
}

TEST_CASE("job runner: with two threads every item is begun once", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(40));
    Process process{town};
    process.runner.start();
    CHECK(process.until([&] {
        while (!process.kind.open.empty()) process.kind.end_first(ended("x"));
        return !jobs.find(id)->open();
    }));
    CHECK(process.kind.begun.size() == 40);
    CHECK(jobs.find(id)->done == 40);
}

TEST_CASE("job runner: a look while a row of its own is locked forgets nothing that is in hand", "[db]") {
    Town town;
    Jobs jobs{town.monitor};
    const auto id = jobs.add(job_of("held", quarter(0)), meters(6));
    Process process{town};
    process.runner.start();
    REQUIRE(process.until([&] { return process.kind.open.size() == 3; }));
    {
        Transaction storing{town.admin};  // as one of its threads does
        town.admin.execute("update job set done = done", "holding the job's row");
        process.until([i = 0]() mutable { return ++i == 100; });
        CHECK(process.kind.begun.size() == 3);
        storing.commit();
    }
    process.until([i = 0]() mutable { return ++i == 50; });
    CHECK(process.kind.begun.size() == 3);
    SECTION("and all is done") {
        CHECK(process.until([&] {
            while (!process.kind.open.empty()) process.kind.end_first(ended("x"));
            return !jobs.find(id)->open();
        }));
        CHECK(process.kind.begun.size() == 6);
    }
    SECTION("and cancelling leaves what is in hand") {
        CHECK(jobs.cancel(id, quarter(2)));
        while (!process.kind.open.empty()) process.kind.end_first(ended("late"));
        CHECK(process.until([&] { return jobs.find(id)->over(); }));
        CHECK(jobs.find(id)->done == 3);
        CHECK(process.kind.begun.size() == 3);
    }
}

}  // namespace wattmesh::test
