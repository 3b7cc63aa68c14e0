#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/executor.h"
#include "platform/loop.h"

namespace wattmesh::platform {

/// A bounded queue that feeds N threads; completions are posted to one loop, which must outlive the queue.
/// With one thread jobs run, and complete, in the order of posting.
class WorkerQueue : public Executor {
public:
    /// `queue_max` counts jobs that wait, not those that run.
    WorkerQueue(Loop& loop, std::size_t threads, std::size_t queue_max);
    ~WorkerQueue() override;
    WorkerQueue(const WorkerQueue&) = delete;
    WorkerQueue& operator=(const WorkerQueue&) = delete;

    /// Any thread.
    [[nodiscard]] bool try_post(std::function<void()> job, Completion completion) override;
    std::size_t waiting() const;
    /// Takes no more jobs, runs those that wait and joins the threads; their completions still reach the
    /// loop.
    void stop();

private:
    struct Work {
        std::function<void()> job;
        Completion completion;
    };
    void serve();

    Loop& loop_;
    const std::size_t queue_max_;
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<Work> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace wattmesh::platform
