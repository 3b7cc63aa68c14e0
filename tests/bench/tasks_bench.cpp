#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "headend/monitor/task_plan.h"

/// bench_tasks [--meters N]: a day of reading, planned and tracked second by second on simulated time: four
/// profiles of each meter, a limited number in flight, answers after seconds, failures, silence, and a tenth
/// of the meters dark for three hours. One JSON line on stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::headend::monitor;
using std::chrono::seconds;

constexpr std::size_t in_flight_max = 4'000;
constexpr int day_s = 86'400, answer_s = 12;
const Instant start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10}};

/// Load profile, daily registers, billing and events: once a day each, at hours of their own.
std::vector<TaskSchedule> schedules() {
    std::vector<TaskSchedule> out;
    out.reserve(4);
    for (int i = 0; i < 4; ++i)
        out.push_back({.period = std::chrono::hours{24},
                       .delay = std::chrono::minutes{5} + std::chrono::hours{4} * i,
                       .deadline = std::chrono::hours{8},
                       .answer_max = std::chrono::minutes{2},
                       .retry_first = std::chrono::minutes{5},
                       .retry_longest = std::chrono::hours{1},
                       .priority = static_cast<std::uint8_t>(i)});
    return out;
}

/// Chance without a generator: the same for every run.
std::uint32_t mixed(std::uint64_t seed) {
    seed = (seed ^ (seed >> 31)) * 0x7FB5D329728EA185ULL;
    seed = (seed ^ (seed >> 27)) * 0x81DADEF4BC2DD44DULL;
    return static_cast<std::uint32_t>(seed >> 32);
}

struct Answer {
    int second;
    TaskId task;
    bool ok;
};

struct Day {
    TaskPlan& plan;
    std::uint32_t meters;
    std::deque<Answer> answers{};
    std::size_t most_in_flight = 0;

    bool dark(TaskId task, int second) const {
        const auto meter = static_cast<std::uint32_t>(task) % meters;
        return meter % 10 == 0 && second > 4 * 3'600 && second < 7 * 3'600;
    }
    void step(int second) {
        const auto now = start + seconds{second};
        while (!answers.empty() && answers.front().second <= second) {
            const auto answer = answers.front();
            answers.pop_front();
            if (plan.state(answer.task) != TaskState::begun) continue;
            if (answer.ok)
                plan.done(answer.task, now);
            else
                plan.failed(answer.task, now);
        }
        const auto in_flight = plan.count(TaskState::begun);
        for (const auto task : plan.take(now, in_flight_max - std::min(in_flight_max, in_flight))) {
            const auto chance =
                mixed(static_cast<std::uint64_t>(task) << 20 | static_cast<unsigned>(second)) % 1'000;
            if (dark(task, second) || chance < 5) continue;  // silence: answer_max ends it
            answers.push_back({second + answer_s, task, chance >= 25});
        }
        plan.expire(now);
        most_in_flight = std::max(most_in_flight, plan.count(TaskState::begun));
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::uint32_t meters = 1'000'000;
    if (argc == 3 && std::string{argv[1]} == "--meters")
        meters = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
    else if (argc != 1)
        meters = 0;
    if (meters < 1 || meters > 10'000'000) {
        std::fputs("usage: bench_tasks [--meters N]\n", stderr);
        return 2;
    }
    const auto from = std::chrono::steady_clock::now();
    TaskPlan plan;
    for (const auto& schedule : schedules()) {
        const auto id = plan.add_schedule(schedule);
        for (std::uint32_t meter = 0; meter < meters; ++meter) plan.add(id, start + schedule.delay);
    }
    Day day{plan, meters};
    for (int second = 0; second < day_s; ++second) day.step(second);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    const auto& counters = plan.counters();
    const auto open =
        plan.count(TaskState::due) + plan.count(TaskState::begun) + plan.count(TaskState::retrying);
    std::printf(
        "{\"bench\":\"tasks\",\"meters\":%u,\"tasks\":%zu,\"seconds\":%.1f,\"cpu_seconds\":%.1f,\"memory_"
        "mib\":%ld,"
        "\"begun\":%llu,\"done\":%llu,\"failed\":%llu,\"expired\":%llu,\"late\":%llu,\"open\":%zu,\"in_"
        "flight_max\":%zu,"
        "\"goal_seconds\":60,\"goal_mib\":1024}\n",
        meters, plan.size(), took, cpu, usage.ru_maxrss / 1024,
        static_cast<unsigned long long>(counters.begun), static_cast<unsigned long long>(counters.done),
        static_cast<unsigned long long>(counters.failed), static_cast<unsigned long long>(counters.expired),
        static_cast<unsigned long long>(counters.late), open, day.most_in_flight);
    return counters.done >= plan.size() ? 0 : 1;
}
