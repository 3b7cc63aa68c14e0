#pragma once
#include <functional>

#include "headend/database/prepayments.h"

namespace wattmesh::headend::monitor {

/// Between these a process may die.
enum class PrepaymentStep : std::uint8_t {
    held,
    read,      ///< what was used
    posted,    ///< not committed
    charged,   ///< committed
    noticed,   ///< not committed
    decided,   ///< committed
    ordered,   ///< a job, not committed
    committed  ///< the job
};
inline constexpr int prepayment_step_count = 8;
using PrepaymentReached = std::function<void(PrepaymentStep)>;  ///< tests: a throw is a crash

/// Brings one account up to `now`: what each of its days is charged becomes what its valid actual intervals
/// cost, by posting the difference. So it may be done any number of times, in any order with readings,
/// findings and corrections. Looks at the last three days; once a day at this month and the one before.
/// False: another process is at it.
bool charge_account(database::Connection& connection, database::PrepaidAccountId account, Instant now,
                    const PrepaymentReached& reached = {});

}  // namespace wattmesh::headend::monitor
