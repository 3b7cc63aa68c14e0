#pragma once
#include "headend/database/jobs.h"
#include "headend/database/scada_points.h"
#include "headend/monitor/relay_desk.h"

namespace wattmesh::headend::exchange {

/// A breaker that a control room wants switched.
struct ScadaOrder {
    database::ScadaLink link;
    database::ScadaPoint point;
    monitor::RelayVerb verb{};
    std::string from;  ///< peer and originator, for the audit log
};

/// Orders a relay job as the console does: through the same gate, with the same refusals. Nothing when it is
/// refused; either is in the audit log. Own transaction.
std::optional<database::JobId> place(database::Connection& connection, const ScadaOrder& order, Instant now);

}  // namespace wattmesh::headend::exchange
