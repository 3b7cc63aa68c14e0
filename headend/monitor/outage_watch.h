#pragma once
#include "headend/database/outages.h"
#include "headend/monitor/outage_inference.h"

namespace wattmesh::headend::monitor {

/// Concludes from the words of the last two days and brings the table in line: what was stored and is
/// concluded again in another form (a word came late) is changed, what proved wrong while it was open goes.
/// In the caller's transaction, by one monitor at a time. True when something changed.
bool look_after_outages(database::Connection& connection, const OutageSettings& settings, Instant now);

}  // namespace wattmesh::headend::monitor
