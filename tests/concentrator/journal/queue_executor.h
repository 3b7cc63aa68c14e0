#pragma once
#include <deque>
#include <utility>

#include "platform/executor.h"

namespace wattmesh::concentrator {

/// Takes at most `room` jobs and runs them when told.
struct QueueExecutor : platform::Executor {
    explicit QueueExecutor(std::size_t room_ = 1'000) : room(room_) {}
    std::deque<std::pair<std::function<void()>, Completion>> works;
    std::size_t room;

    bool try_post(std::function<void()> job, Completion completion) override {
        if (works.size() == room) return false;
        works.push_back({std::move(job), std::move(completion)});
        return true;
    }
    void run_one() {
        const auto [job, completion] = works.front();
        works.pop_front();
        std::exception_ptr failure;
        try {
            job();
        } catch (...) {
            failure = std::current_exception();
        }
        completion(failure);
    }
    void run() {
        while (!works.empty()) run_one();
    }
};

}  // namespace wattmesh::concentrator
