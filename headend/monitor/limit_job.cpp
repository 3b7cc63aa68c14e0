#include "headend/monitor/limit_job.h"

#include "headend/database/relay_rules.h"
#include "headend/jobs/retry.h"

namespace wattmesh::headend::monitor {

void LimitJob::permit(const std::shared_ptr<Turn>& turn, std::size_t steps, const Permitted& go) {
    ports_.queue.run(
        [meter = turn->meter](database::Connection& connection) {
            return database::RelayRules{connection}.refusal(meter, true).value_or("");
        },
        [this, turn, steps, go](const std::optional<std::string>& refusal) {
            if (!refusal) return turn->done(jobs::later(turn->item, ports_.now()));
            if (!refusal->empty()) return refuse(turn, *refusal);
            go(static_cast<int>(steps));
        });
}

}  // namespace wattmesh::headend::monitor
