#pragma once
#include "concentrator/journal/journal_store.h"
#include "concentrator/reading/trusted_clock.h"

namespace wattmesh::concentrator {

/// A meter's profile answer as journal entries, cut where an entry would become too big. The rows are as the
/// meter sent them, but in the first one of an entry null-data is replaced by what it stands for.
struct RowEntries {
    std::vector<Draft> entries;
    std::optional<Instant> last;  ///< end of the newest row; nothing when there was none
};
Result<RowEntries> row_entries(const DeviceNumber& meter, const ObisCode& profile, const dlms::Data& rows,
                               Duration period, const Now& now);

/// End of the oldest row in an answer to `oldest_row()`; nothing when the profile is empty.
Result<std::optional<Instant>> oldest_instant(const dlms::Data& rows);

}  // namespace wattmesh::concentrator
