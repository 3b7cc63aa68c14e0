#pragma once
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

enum class Advance { advanced, lost_race, superseded, already };

struct Advanced {
    Advance outcome{};
    std::int64_t journal_row = 0;  ///< the journal's surrogate; 0 when superseded
    Sequence sequence;             ///< where the cursor was before
};

struct Cursor {
    JournalId journal;
    Sequence sequence;
    OwnerEpoch epoch;                                       ///< who advanced it last
    std::int64_t journal_row = 0;                           ///< surrogate that rows carry as their source
    std::int64_t entries_stored = 0, entries_replayed = 0;  ///< replayed: kept by the journal through an
                                                            ///< outage, or delivered again
    std::int64_t rows_stored = 0, rows_duplicate = 0;
};

/// Table journal_cursor; key (concentrator, journal id).
class Cursors {
public:
    explicit Cursors(Connection& connection) : connection_(connection) {}

    /// Sequence 0 for a journal that was never seen.
    Sequence find(ConcentratorId concentrator, const JournalId& journal);
    std::vector<Cursor> of(ConcentratorId concentrator);

    /// Compare-and-set on (sequence, owner epoch); takes the row lock until the transaction ends.
    ///   advanced   - the cursor was `from`, `epoch` is the concentrator's newest, and it is `to` now
    ///   already    - the cursor is `to` and this epoch put it there: this very batch was committed before
    ///   lost_race  - the cursor is elsewhere
    ///   superseded - a newer session owns the concentrator
    Advanced advance(ConcentratorId concentrator, const JournalId& journal, OwnerEpoch epoch, Sequence from,
                     Sequence to, Instant now);
    void count(std::int64_t journal_row, std::int64_t entries_stored, std::int64_t entries_replayed,
               std::int64_t rows_stored, std::int64_t rows_duplicate);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
