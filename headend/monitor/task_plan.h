#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <vector>

#include "protocol/base/time.h"

namespace wattmesh::headend::monitor {

/// What a group of devices is asked, and when. Times are kept in whole seconds.
struct TaskSchedule {
    Duration period = std::chrono::minutes{15};      ///< falls due at every multiple of it since 1970
    Duration delay{};                                ///< and so much later
    Duration deadline = std::chrono::hours{8};       ///< after it fell due: what is not done then is late
    Duration answer_max = std::chrono::minutes{10};  ///< begun and not heard of for so long: failed
    Duration retry_first = std::chrono::seconds{30}, retry_longest = std::chrono::minutes{15};
    std::uint8_t priority = 0;  ///< lower comes first
};

/// Index of a task; good as long as the plan, until it is removed.
enum class TaskId : std::uint32_t {};
enum class ScheduleId : std::uint16_t {};

enum class TaskState : std::uint8_t {
    waiting,  ///< nothing to do until it falls due
    due,      ///< wants to be begun
    begun,    ///< until done, failed or answer_max
    retrying  ///< failed; due again after its back-off
};

struct TaskCounters {
    std::uint64_t begun = 0, done = 0, failed = 0, expired = 0, late = 0;
};

/// Which task is begun next, of many: by priority, and among equals by whose deadline comes first, so that a
/// backlog is worked off by what is due next. A task is one recurring duty towards one device; what it has
/// brought so far is not here but where the readings are (the journal's cursor), so that a restart adds the
/// tasks anew and nothing is lost or done twice. No state lasts: each has an instant at which it ends by
/// itself. 24 octets for a task, and 4 to 12 more while it stands in a queue. One thread; no clock of its
/// own.
class TaskPlan {
public:
    ScheduleId add_schedule(const TaskSchedule& schedule);
    /// Due at `first`.
    TaskId add(ScheduleId schedule, Instant first);
    void remove(TaskId task);

    /// At most `count_max` tasks to begin now, the first to come first. They are begun.
    std::vector<TaskId> take(Instant now, std::size_t count_max);
    /// The task is done; due again after the end of the period in which `now` is, or at `next`.
    void done(TaskId task, Instant now, std::optional<Instant> next = {});
    /// It comes again after a back-off, doubled by every failure in a row.
    void failed(TaskId task, Instant now);
    /// A task that is begun goes on: answer_max counts anew.
    void heard(TaskId task, Instant now);
    /// Something happened for which it should be begun at `at`, unless it would be earlier anyway. Of a task
    /// that is begun this counts after its end.
    void hasten(TaskId task, Instant at);
    /// Moves what is over by now: tasks fall due, and those begun too long ago fail. take() does it too.
    /// Returns those that failed so, for their owner to let go.
    std::vector<TaskId> expire(Instant now);

    TaskState state(TaskId task) const { return at(task).state; }
    /// When it fell due, or will.
    Instant due(TaskId task) const;
    /// When expire() has something to do; Instant::max() when never.
    Instant wake() const;
    std::size_t size() const { return size_; }
    std::size_t count(TaskState state) const { return counts_[static_cast<std::size_t>(state)]; }
    const TaskCounters& counters() const { return counters_; }

private:
    using Seconds = std::uint32_t;  // since 1970: until 2106
    struct Task {
        Seconds due = 0, wake = 0, deadline = 0, hastened = 0;
        std::uint32_t turn = 0;  // an entry of a queue with another turn is stale
        std::uint16_t schedule = 0;
        TaskState state = TaskState::waiting;
        std::uint8_t failures = 0;
    };
    struct Ready {
        Seconds deadline;
        std::uint32_t index, turn;
        std::uint8_t priority;
        bool operator<(const Ready& other) const;  // the top of the queue is the first to come
    };
    struct Wake {
        std::uint32_t index, turn;
    };

    const Task& at(TaskId task) const { return tasks_.at(static_cast<std::uint32_t>(task)); }
    Task& at(TaskId task) { return tasks_.at(static_cast<std::uint32_t>(task)); }
    void enter(std::uint32_t index, TaskState state, Seconds wake);
    void make_due(std::uint32_t index);
    void await(std::uint32_t index, Seconds due);
    void back_off(std::uint32_t index, Seconds now);

    std::vector<TaskSchedule> schedules_;
    std::vector<Task> tasks_;
    std::vector<std::uint32_t> free_;
    std::map<Seconds, std::vector<Wake>> wakes_;
    std::priority_queue<Ready> ready_;
    std::vector<TaskId> expired_;
    std::size_t size_ = 0;
    std::size_t counts_[4] = {};
    TaskCounters counters_;
};

}  // namespace wattmesh::headend::monitor
