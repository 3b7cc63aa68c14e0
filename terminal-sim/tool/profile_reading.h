#pragma once
#include "terminal-sim/tool/meter_session.h"

namespace wattmesh::sim {

/// Rows of a profile, all or from one instant to another, with the quirks that the session bears: columns
/// named with attribute 255, a clock that is not the first column, rows that the array does not count (up to
/// the limit of all arrays). A quirk that is met and not allowed is refused: std::runtime_error names it.
dlms::ReadOutcome read_profile(MeterSession& session, const ObisCode& object,
                               const std::optional<std::pair<Instant, Instant>>& range);

}  // namespace wattmesh::sim
