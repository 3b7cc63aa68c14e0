#include "headend/database/query_queue.h"

#include "headend/database/connection_pool.h"

namespace wattmesh::headend::database {
namespace {

constexpr int attempts_max = 5;

void run_patiently(Connection& connection, const std::function<void(Connection&)>& work) {
    for (int attempt = 1;; ++attempt) {
        try {
            work(connection);
            return;
        } catch (const DatabaseError& error) {
            if (error.trouble() != Trouble::contention || attempt == attempts_max) throw;
        }
    }
}

}  // namespace

struct QueryQueue::State {
    State(const DatabaseSettings& settings, std::size_t connections, platform::Executor& on, Post post_,
          Log log_)
        : pool(settings, connections), executor(on), post(std::move(post_)), log(std::move(log_)) {}
    ConnectionPool pool;
    platform::Executor& executor;
    Post post;
    Log log;
    bool full = false;
};

QueryQueue::QueryQueue(const DatabaseSettings& settings, std::size_t connections,
                       platform::Executor& executor, Post post, Log log)
    : state_(std::make_shared<State>(settings, connections, executor, std::move(post), std::move(log))) {}

bool QueryQueue::full() const { return state_->full; }

void QueryQueue::execute(std::function<void(Connection&)> work, std::function<void(bool)> done) {
    auto told = std::make_shared<std::function<void(bool)>>(std::move(done));
    const bool taken = state_->executor.try_post(
        [state = state_, work = std::move(work)] {
            const auto lease = state->pool.lease();
            run_patiently(*lease, work);
        },
        [state = state_, told](std::exception_ptr failure) {
            state->full = false;
            if (failure) {
                try {
                    std::rethrow_exception(failure);
                } catch (const std::exception& error) {
                    state->log(error.what());
                }
            }
            (*told)(!failure);
        });
    if (taken) return;
    state_->full = true;
    state_->post([told] { (*told)(false); });
}

}  // namespace wattmesh::headend::database
