#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "headend/database/connection.h"

namespace wattmesh::headend::database {

/// How loop threads talk to the database: work runs on one of a few threads, each with its own connection;
/// the completion comes back through `post` (the loop's executor). Bounded: `full()` says when a caller must
/// wait.
class QueryQueue {
public:
    using Post = std::function<void(std::function<void()>)>;
    /// `log` receives what went wrong, for the operator; it may name SQL, never a password.
    using Log = std::function<void(const std::string&)>;

    QueryQueue(const DatabaseSettings& settings, std::size_t threads, std::size_t waiting_max, Post post,
               Log log);
    ~QueryQueue();

    /// Runs `work(Connection&)` and posts `done(std::optional<result>)`: nothing when the database is
    /// unavailable, refused the work, or the queue is full. Contention is retried inside; `work` must
    /// therefore be repeatable and own its transaction.
    template <class Work>
    void run(Work work, std::function<void(std::optional<std::invoke_result_t<Work, Connection&>>)> done) {
        using Value = std::invoke_result_t<Work, Connection&>;
        auto value = std::make_shared<std::optional<Value>>();
        enqueue([work = std::move(work),
                 value](Connection& connection) mutable { value->emplace(work(connection)); },
                [value, done = std::move(done)](bool ok) { done(ok ? std::move(*value) : std::nullopt); });
    }
    /// The same for work without a result.
    void execute(std::function<void(Connection&)> work, std::function<void(bool ok)> done) {
        enqueue(std::move(work), std::move(done));
    }
    bool full() const;

private:
    void enqueue(std::function<void(Connection&)> work, std::function<void(bool)> done);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::headend::database
