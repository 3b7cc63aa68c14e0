#include "platform/worker_queue.h"

#include <csignal>
#include <utility>

namespace wattmesh::platform {

WorkerQueue::WorkerQueue(Loop& loop, std::size_t threads, std::size_t queue_max)
    : loop_(loop), queue_max_(queue_max) {
    // signals belong to the loop's thread: workers start with all of them blocked
    sigset_t all{}, before{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WorkerQueue::~WorkerQueue() { stop(); }

bool WorkerQueue::try_post(std::function<void()> job, Completion completion) {
    {
        const std::lock_guard lock{mutex_};
        if (stopping_ || queue_.size() >= queue_max_) return false;
        queue_.push_back({std::move(job), std::move(completion)});
    }
    filled_.notify_one();
    return true;
}

std::size_t WorkerQueue::waiting() const {
    const std::lock_guard lock{mutex_};
    return queue_.size();
}

void WorkerQueue::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    filled_.notify_all();
    for (auto& thread : std::exchange(threads_, {})) thread.join();
}

void WorkerQueue::serve() {
    for (;;) {
        Work work;
        {
            std::unique_lock lock{mutex_};
            filled_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            work = std::move(queue_.front());
            queue_.pop_front();
        }
        std::exception_ptr failure;
        try {
            work.job();
        } catch (...) {
            failure = std::current_exception();
        }
        work.job = nullptr;  // what it holds goes on this thread, before anyone is told
        loop_.post([completion = std::move(work.completion), failure] { completion(failure); });
    }
}

}  // namespace wattmesh::platform
