#pragma once
#include <cstdint>

#include "headend/database/connection.h"
#include "headend/database/ingest_catalog.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::database {

/// What one batch came to.
struct Ingested {
    frontend::StoreOutcome outcome{};
    int rows_new = 0;            ///< not there before
    int rows_filled = 0;         ///< there, and a null channel got its value
    int rows_duplicate = 0;      ///< there with the same values
    int values_conflicting = 0;  ///< there with another value: kept apart, both sources named
    int rejected = 0;            ///< could not be stored: kept raw with the reason
    int entries_replayed = 0;    ///< kept by the journal through an outage, or delivered again
    bool merged = false;         ///< went through the temporary table (slower)
};

/// Stores batches of journal entries: rows, events, rejects, dirty marks and the cursor in one transaction
/// (design: storage). What is above a meter's high-water mark goes straight in by COPY, the rest through a
/// temporary table and one merge. Thread safe; every call uses its caller's connection.
class IngestWriter {
public:
    /// Throws DatabaseError; then nothing of the batch is stored and it may be tried again.
    Ingested store(Connection& connection, const frontend::Batch& batch);

private:
    Ingested attempt(Connection& connection, const frontend::Batch& batch);

    IngestCatalog catalog_;
};

}  // namespace wattmesh::headend::database
