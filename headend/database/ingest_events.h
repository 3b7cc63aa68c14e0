#pragma once
#include <vector>

#include "headend/database/ingest_catalog.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::database {

/// Stores events; one whose payload does not decode is added to `rejected`. Inside the caller's transaction.
void put_events(Connection& connection, std::int64_t journal_row, const KnownConcentrator& concentrator,
                const frontend::Batch& batch, std::vector<frontend::RejectedEntry>& rejected);
/// Joins claim meters, and strangers that are somebody's meters become visitors (headend/frontend/lease.h).
void settle_leases(Connection& connection, const KnownConcentrator& concentrator,
                   const frontend::Batch& batch);
/// What meters said of firmware images goes to their orders.
void tell_firmware(Connection& connection, const KnownConcentrator& concentrator,
                   const frontend::Batch& batch);
void put_rejected(Connection& connection, std::int64_t journal_row, const KnownConcentrator& concentrator,
                  const std::vector<frontend::RejectedEntry>& rejected, Instant received);

}  // namespace wattmesh::headend::database
