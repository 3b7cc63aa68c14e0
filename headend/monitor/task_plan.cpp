#include "headend/monitor/task_plan.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <tuple>
#include <utility>

namespace wattmesh::headend::monitor {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::int64_t instant_max = 0xD0000000;  // 2080; deadlines behind it still fit

std::uint32_t seconds_of(Duration duration) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(
        std::chrono::ceil<seconds>(duration).count(), 0, std::numeric_limits<std::uint32_t>::max() / 4));
}
/// Whole seconds, never early.
std::uint32_t up(Instant at) {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(std::chrono::ceil<seconds>(at.time_since_epoch()).count(), 0, instant_max));
}
std::uint32_t down(Instant at) {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(std::chrono::floor<seconds>(at.time_since_epoch()).count(), 0, instant_max));
}
Instant instant_of(std::uint32_t at) { return Instant{seconds{at}}; }

}  // namespace

bool TaskPlan::Ready::operator<(const Ready& other) const {
    return std::tie(other.priority, other.deadline, other.index) < std::tie(priority, deadline, index);
}

ScheduleId TaskPlan::add_schedule(const TaskSchedule& schedule) {
    assert(schedule.period >= seconds{1} && schedules_.size() < std::numeric_limits<std::uint16_t>::max());
    schedules_.push_back(schedule);
    return static_cast<ScheduleId>(schedules_.size() - 1);
}

TaskId TaskPlan::add(ScheduleId schedule, Instant first) {
    assert(static_cast<std::size_t>(schedule) < schedules_.size());
    std::uint32_t index = 0;
    if (free_.empty()) {
        index = static_cast<std::uint32_t>(tasks_.size());
        tasks_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
        const auto turn = tasks_[index].turn;
        tasks_[index] = {};
        tasks_[index].turn = turn;
    }
    tasks_[index].schedule = static_cast<std::uint16_t>(schedule);
    ++size_;
    ++counts_[static_cast<std::size_t>(TaskState::waiting)];
    await(index, up(first));
    return static_cast<TaskId>(index);
}

void TaskPlan::remove(TaskId task) {
    auto& removed = at(task);
    ++removed.turn;
    --counts_[static_cast<std::size_t>(removed.state)];
    --size_;
    free_.push_back(static_cast<std::uint32_t>(task));
}

/// Every change of state makes what stands in the queues stale.
void TaskPlan::enter(std::uint32_t index, TaskState state, Seconds wake) {
    auto& task = tasks_[index];
    --counts_[static_cast<std::size_t>(task.state)];
    ++counts_[static_cast<std::size_t>(state)];
    task.state = state;
    task.wake = wake;
    ++task.turn;
    wakes_[wake].push_back({index, task.turn});
}

void TaskPlan::await(std::uint32_t index, Seconds due) {
    auto& task = tasks_[index];
    task.due = due;
    task.deadline = due + seconds_of(schedules_[task.schedule].deadline);
    enter(index, TaskState::waiting, due);
}

/// Wakes once more at the deadline, to be counted as late.
void TaskPlan::make_due(std::uint32_t index) {
    auto& task = tasks_[index];
    enter(index, TaskState::due, std::max(task.deadline, task.wake + 1));
    ready_.push({task.deadline, index, task.turn, schedules_[task.schedule].priority});
}

void TaskPlan::back_off(std::uint32_t index, Seconds now) {
    auto& task = tasks_[index];
    const auto& schedule = schedules_[task.schedule];
    const auto shift = std::min<std::uint8_t>(task.failures, 20);
    const auto wait = std::min(std::uint64_t{seconds_of(schedule.retry_first)} << shift,
                               std::uint64_t{seconds_of(schedule.retry_longest)});
    if (task.failures < std::numeric_limits<std::uint8_t>::max()) ++task.failures;
    auto wake = now + std::max<Seconds>(1, static_cast<Seconds>(wait));
    if (task.hastened != 0) wake = std::min(wake, std::max(now + 1, std::exchange(task.hastened, 0)));
    enter(index, TaskState::retrying, wake);
}

std::vector<TaskId> TaskPlan::expire(Instant instant) {
    const auto now = down(instant);
    while (!wakes_.empty() && wakes_.begin()->first <= now) {
        // Taken out first: what happens now may add to the same second.
        const auto woken = std::move(wakes_.begin()->second);
        wakes_.erase(wakes_.begin());
        for (const auto& [index, turn] : woken) {
            auto& task = tasks_[index];
            if (task.turn != turn) continue;
            switch (task.state) {
                case TaskState::waiting:
                case TaskState::retrying:
                    make_due(index);
                    break;
                case TaskState::due:
                    // Late, and still wanted: it keeps its place, which only comes nearer to the front.
                    ++counters_.late;
                    break;
                case TaskState::begun:
                    ++counters_.expired;
                    ++counters_.failed;
                    expired_.push_back(static_cast<TaskId>(index));
                    back_off(index, now);
                    break;
            }
        }
    }
    return std::exchange(expired_, {});
}

std::vector<TaskId> TaskPlan::take(Instant now, std::size_t count_max) {
    expired_ = expire(now);  // their owner asks for them
    std::vector<TaskId> taken;
    taken.reserve(std::min(count_max, ready_.size()));
    while (taken.size() < count_max && !ready_.empty()) {
        const auto first = ready_.top();
        ready_.pop();
        auto& task = tasks_[first.index];
        if (task.turn != first.turn) continue;
        const auto answer = std::max<Seconds>(1, seconds_of(schedules_[task.schedule].answer_max));
        enter(first.index, TaskState::begun, down(now) + answer);
        ++counters_.begun;
        taken.push_back(static_cast<TaskId>(first.index));
    }
    return taken;
}

void TaskPlan::done(TaskId task, Instant now, std::optional<Instant> next) {
    auto& finished = at(task);
    const auto& schedule = schedules_[finished.schedule];
    ++counters_.done;
    finished.failures = 0;
    auto due =
        next ? up(*next)
             : up(Instant{schedule.period * (now.time_since_epoch() / schedule.period + 1)} + schedule.delay);
    if (finished.hastened != 0) due = std::min(due, std::exchange(finished.hastened, 0));
    await(static_cast<std::uint32_t>(task), due);
}

void TaskPlan::failed(TaskId task, Instant now) {
    ++counters_.failed;
    back_off(static_cast<std::uint32_t>(task), down(now));
}

void TaskPlan::heard(TaskId task, Instant now) {
    if (at(task).state != TaskState::begun) return;
    const auto answer = std::max<Seconds>(1, seconds_of(schedules_[at(task).schedule].answer_max));
    enter(static_cast<std::uint32_t>(task), TaskState::begun, down(now) + answer);
}

void TaskPlan::hasten(TaskId task, Instant instant) {
    auto& hurried = at(task);
    const auto when = up(instant);
    const auto index = static_cast<std::uint32_t>(task);
    if (hurried.state == TaskState::begun) {
        hurried.hastened = hurried.hastened == 0 ? when : std::min(hurried.hastened, when);
    } else if (hurried.state == TaskState::waiting && when < hurried.due) {
        await(index, when);
    } else if (hurried.state == TaskState::retrying && when < hurried.wake) {
        enter(index, TaskState::retrying, when);
    }
}

Instant TaskPlan::due(TaskId task) const {
    const auto& asked = at(task);
    return instant_of(asked.state == TaskState::retrying ? asked.wake : asked.due);
}

Instant TaskPlan::wake() const { return wakes_.empty() ? Instant::max() : instant_of(wakes_.begin()->first); }

}  // namespace wattmesh::headend::monitor
