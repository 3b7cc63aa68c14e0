#include "headend/monitor/grant_wait.h"

#include "headend/database/disconnect_grants.h"

namespace wattmesh::headend::monitor {

void wait_for_grant(database::QueryQueue& queue, database::ItemOutcome outcome, Instant now,
                    jobs::JobKind::Done done) {
    queue.run(
        [now](database::Connection& connection) {
            return database::DisconnectGrants{connection}.next_free(now);
        },
        [outcome = std::move(outcome), now,
         done = std::move(done)](std::optional<std::optional<Instant>> free) mutable {
            if (free && *free) outcome.again = std::max(**free, now + std::chrono::seconds{1});
            done(std::move(outcome));
        });
}

}  // namespace wattmesh::headend::monitor
