#pragma once
#include <map>
#include <vector>

#include "headend/frontend/store.h"
#include "protocol/dlms/data.h"

namespace wattmesh::headend::frontend {

/// Interval length of each profile that meters are read for; needed where a row's clock is "one period after
/// the row before".
using ProfilePeriods = std::map<ObisCode, Duration>;

/// Adds the rows of a journal answer to `batch`, whose `from`, `to` (= `from`) and `received` are set. What
/// cannot be understood goes to `batch.rejected` with its reason. A row without a readable sequence takes the
/// next one (a journal has no holes); a sequence beyond `last`, the journal's known end, is not believed.
/// Returns the number of rows that did not advance the journal.
std::size_t add_entries(Batch& batch, const std::vector<dlms::Data>& rows, Sequence last,
                        const ProfilePeriods& periods);

}  // namespace wattmesh::headend::frontend
