#pragma once
#include <exception>
#include <functional>

namespace wattmesh::platform {

/// Runs blocking work away from the loop. Production: WorkerQueue. Deterministic tests: one that runs the job
/// itself and completes after a seeded delay.
class Executor {
public:
    /// On the loop's thread; the exception that left the job, or null.
    using Completion = std::function<void(std::exception_ptr)>;

    virtual ~Executor() = default;
    /// False, and nothing happens, when the queue is full: try again after a completion. A job that was taken
    /// is completed exactly once.
    [[nodiscard]] virtual bool try_post(std::function<void()> job, Completion completion) = 0;
};

}  // namespace wattmesh::platform
