#pragma once
#include "headend/database/connection.h"

namespace wattmesh::headend::monitor {

/// Validates the days whose rows changed, once they are over: at most `count_max` pairs of day and
/// concentrator, oldest first, each in its own transaction; how many were done. A local day waits until
/// `settle` after its end, so that late rows do not show as gaps.
int validate_days(database::Connection& connection, int count_max, Instant now,
                  Duration settle = std::chrono::hours{2});

}  // namespace wattmesh::headend::monitor
