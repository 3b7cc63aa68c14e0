#pragma once
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "headend/database/ingest_catalog.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::database {

/// Quality octet of a channel (interval_row.quality holds eight).
namespace quality {
inline constexpr std::uint8_t clock_doubtful = 1, meter_status = 2, filled_later = 4;
}

/// A row of interval_row that waits to be written. Orders by key, then by the entry it came in.
struct PendingRow {
    MeterId meter;
    std::int16_t bank = 0;
    Instant at{};
    Sequence sequence;
    TenantId tenant;
    AreaId area;
    ConcentratorId owner;  ///< the meter's own concentrator, for the dirty mark
    std::int16_t status = 0;
    std::int64_t quality = 0;
    std::array<std::optional<std::int64_t>, dcu::IntervalRow::channel_count_max> values{};
};

/// A batch, checked and put in order.
struct PendingBatch {
    std::vector<PendingRow> rows;  ///< ordered by (meter, bank, at, sequence)
    std::vector<frontend::RejectedEntry> rejected;
    std::set<std::int32_t> days;  ///< UTC days since 1970 of `rows`
};

/// Rows older than this, or further ahead, are rejected: they would make partitions without end.
inline constexpr Duration age_max = std::chrono::hours{24 * 400}, ahead_max = std::chrono::hours{24};
/// Amounts beyond it are nonsense in any unit, and sums of a month must fit 64 bits.
inline constexpr std::int64_t value_max = 10'000'000'000'000'000;

std::int32_t utc_day(Instant at);

/// Resolves meters and banks (reads the database through `catalog`) and sorts. What cannot be stored ends in
/// `rejected`.
PendingBatch pending_batch(Connection& connection, IngestCatalog& catalog,
                           const KnownConcentrator& concentrator, const frontend::Batch& batch);

}  // namespace wattmesh::headend::database
