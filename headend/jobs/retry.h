#pragma once
#include <string>
#include <string_view>

#include "headend/database/job_work.h"

/// When an item that could not be done is tried again.
namespace wattmesh::headend::jobs {

/// Faults of talks with a meter that time may cure, as long as nothing was sent; the others are the same
/// tomorrow.
bool passes(std::string_view fault);
/// The outcome of an item that met one of them: again after 1, 2, 4 ... minutes, Jobs' attempts_max times.
/// What is nobody's try (the meter's link is away or another process has it, the cap on disconnects) does not
/// count: again after an eighth of the time that the job runs, 1 to 15 minutes, until its deadline.
database::ItemOutcome again(const database::Job& job, const database::JobItem& item, const std::string& fault,
                            Instant now);
/// The item waits for something else than its meter until `at`; this is no attempt.
database::ItemOutcome later(const std::string& why, Instant at);
/// The database did not answer.
database::ItemOutcome later(const database::JobItem& item, Instant now);

}  // namespace wattmesh::headend::jobs
