#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"
#include "protocol/dcu/journal.h"

/// What the front-end asks of the database. headend/database implements it for PostgreSQL; tests in memory,
/// with seeded delays and failures.
namespace wattmesh::headend::frontend {

/// Rows of one journal entry, typed and ready for the interval table.
struct StoredMeterRows {
    DeviceNumber meter;
    ObisCode profile;
    std::vector<dcu::IntervalRow> rows;
    Sequence sequence;            ///< entry they came in
    bool clock_doubtful = false;  ///< the concentrator's clock was, when it wrote the entry
};
/// An entry that cannot be understood; kept raw so that it never blocks the journal.
struct RejectedEntry {
    Sequence sequence;
    DeviceNumber meter;
    Buffer raw;
    std::string reason;
};
/// Everything but interval rows. The payload was decoded once already: it is well formed.
struct JournalEvent {
    dcu::Entry entry;
};

/// Entries (from, to] of one journal; stored whole, with the cursor, in one transaction or not at all.
struct Batch {
    DeviceNumber concentrator;
    JournalId journal;
    OwnerEpoch epoch;
    Sequence from, to;
    std::vector<StoredMeterRows> intervals;
    std::vector<JournalEvent> events;
    std::vector<RejectedEntry> rejected;
    Instant received{};
    Instant session_since{};    ///< when the session began that brings it
    std::int64_t replayed = 0;  ///< entries older than the session: the journal kept them through an outage
};

enum class StoreOutcome {
    stored,       ///< committed (now, or this same batch before)
    lost_race,    ///< the cursor is not `from`: ask for it again
    superseded,   ///< a newer session owns this concentrator: this one must end
    unavailable,  ///< database down or queue full: nothing is stored, try again later
};

enum class Standing {
    known,
    unknown,  ///< not registered: quarantine, no epoch
    revoked,  ///< no epoch
};
struct SessionOpened {
    Standing standing{};
    OwnerEpoch epoch;
};

enum class LinkState { offline, online };

/// Every call returns at once; `done` comes later on the caller's thread (or never, when the process stops).
/// No call throws.
class Store {
public:
    virtual ~Store() = default;

    /// A log-in. For a known concentrator the owner epoch goes up by one. nullopt: database down.
    virtual void open_session(DeviceNumber concentrator, Instant now,
                              std::function<void(std::optional<SessionOpened>)> done) = 0;
    /// Sequence up to which this journal is stored; 0 for one that was never seen. nullopt: database down.
    virtual void cursor(JournalId journal, DeviceNumber concentrator,
                        std::function<void(std::optional<Sequence>)> done) = 0;
    virtual void store(Batch batch, std::function<void(StoreOutcome)> done) = 0;
    /// Presence, best effort: dropped when the queue is full. Ignored unless `epoch` is the newest.
    virtual void seen(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen, LinkState link) = 0;
};

}  // namespace wattmesh::headend::frontend
