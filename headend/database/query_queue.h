#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "headend/database/connection.h"
#include "platform/executor.h"

namespace wattmesh::headend::database {

/// How a loop thread talks to the database: work runs on an executor's threads, each with its own connection,
/// and the completion comes back on the loop. Calls from the loop's thread only.
class QueryQueue {
public:
    /// Runs something a little later on the caller's thread: the loop's post().
    using Post = std::function<void(std::function<void()>)>;
    /// What went wrong, for the operator's log; may name tables, never a password. Called on the caller's
    /// thread.
    using Log = std::function<void(const std::string&)>;

    /// `connections`: as many as `executor` has threads. `executor` must outlive the queue's work, not the
    /// queue.
    QueryQueue(const DatabaseSettings& settings, std::size_t connections, platform::Executor& executor,
               Post post, Log log);

    /// Runs `work(Connection&)`, then `done(std::optional<result>)`: nothing when the database is
    /// unavailable, refused the work (a mistake of ours: see the log), or the queue is full. Contention is
    /// tried again inside, so `work` must own its transaction and be repeatable.
    template <class Work>
    void run(Work work, std::function<void(std::optional<std::invoke_result_t<Work, Connection&>>)> done) {
        using Value = std::invoke_result_t<Work, Connection&>;
        auto value = std::make_shared<std::optional<Value>>();
        execute([work = std::move(work),
                 value](Connection& connection) mutable { value->emplace(work(connection)); },
                [value, done = std::move(done)](bool ok) { done(ok ? std::move(*value) : std::nullopt); });
    }
    /// The same for work without a result.
    void execute(std::function<void(Connection&)> work, std::function<void(bool ok)> done);
    /// True while the last attempt found the executor full.
    bool full() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace wattmesh::headend::database
