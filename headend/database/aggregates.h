#pragma once
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

struct AggregateLag {
    std::int64_t dirty = 0;         ///< marks that wait
    std::optional<Instant> oldest;  ///< when the oldest was made
};

/// Intervals that end later than so long ago are not missing yet.
inline constexpr Duration due_after = std::chrono::minutes{15};

/// Recomputes hours, days (both in the utility's local time), last values and completeness for what ingest
/// marked dirty. Idempotent: any number of workers may run it, and a crash in the middle only leaves the
/// mark.
class Aggregates {
public:
    explicit Aggregates(Connection& connection) : connection_(connection) {}

    /// Works off at most `count_max` marks older than `settle`, each in its own transaction; how many were
    /// done. Throws DatabaseError after the others are done when one mark failed.
    int work(int count_max, Instant now, Duration settle = std::chrono::seconds{2});
    /// Counts the completeness of at most `count_max` concentrators and days again that nothing came for: of
    /// the last four days, what was counted more than `every` before the day was over. How many.
    int count_open_days(int count_max, Instant now, Duration every = std::chrono::minutes{5});
    AggregateLag lag();
    /// Makes the partitions of `ahead` UTC days from `now` on.
    void make_partitions(Instant now, int ahead = 3);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
