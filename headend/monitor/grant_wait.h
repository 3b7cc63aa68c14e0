#pragma once
#include "headend/database/query_queue.h"
#include "headend/jobs/job_runner.h"

namespace wattmesh::headend::monitor {

/// The item has met the cap on disconnects: it waits until the oldest grant leaves the hour, which is no
/// attempt. `outcome` is what else is to be stored of it. `done` as of a JobKind.
void wait_for_grant(database::QueryQueue& queue, database::ItemOutcome outcome, Instant now,
                    jobs::JobKind::Done done);
inline constexpr const char* too_many_disconnects = "too_many_disconnects";

}  // namespace wattmesh::headend::monitor
