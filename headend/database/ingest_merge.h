#pragma once
#include <map>
#include <span>
#include <vector>

#include "headend/database/ingest_rows.h"

namespace wattmesh::headend::database {

/// What a merge found out.
struct Merged {
    int rows_new = 0, rows_filled = 0, rows_overlapping = 0, values_conflicting = 0;
    std::map<Sequence, int> overlapping;  ///< rows that were there already, per entry
};

/// Writes rows of distinct keys straight into interval_row by COPY under a savepoint. False, and nothing
/// written, when a key is there already.
bool copy_new_rows(Connection& connection, std::int64_t journal_row, std::span<const PendingRow* const> rows);

/// Writes rows of distinct keys through a temporary table: new keys are inserted, null channels filled, other
/// values go to reading_conflict. Inside the caller's transaction.
Merged merge_rows(Connection& connection, std::int64_t journal_row, std::span<const PendingRow* const> rows,
                  Instant received);

}  // namespace wattmesh::headend::database
