#include "headend/database/pg_store.h"

#include <map>
#include <utility>

#include "headend/database/concentrators.h"
#include "headend/database/cursors.h"

namespace wattmesh::headend::database {
namespace {

using frontend::StoreOutcome;

/// A connection that breaks in the middle leaves open whether the commit arrived. Asking again with a fresh
/// connection settles it: the cursor then is where this very batch put it.
Ingested store_surely(IngestWriter& writer, Connection& connection, const frontend::Batch& batch) {
    const bool was_connected = connection.connected();
    try {
        return writer.store(connection, batch);
    } catch (const DatabaseError& error) {
        if (!was_connected || error.trouble() != Trouble::unavailable || connection.connected()) throw;
        return writer.store(connection, batch);
    }
}

void count(StoreCounters& counters, const std::optional<Ingested>& ingested) {
    if (!ingested) {
        ++counters.unavailable;
        return;
    }
    if (ingested->outcome == StoreOutcome::stored) ++counters.batches;
    if (ingested->outcome == StoreOutcome::lost_race) ++counters.lost_races;
    if (ingested->outcome == StoreOutcome::superseded) ++counters.superseded;
    counters.rows_new += ingested->rows_new;
    counters.rows_filled += ingested->rows_filled;
    counters.rows_duplicate += ingested->rows_duplicate;
    counters.values_conflicting += ingested->values_conflicting;
    counters.rejected += ingested->rejected;
    counters.entries_replayed += ingested->entries_replayed;
}

frontend::SessionOpened opened(const std::optional<SessionGrant>& grant) {
    if (!grant) return {frontend::Standing::unknown, {}};
    if (grant->state == ConcentratorState::revoked) return {frontend::Standing::revoked, {}};
    return {frontend::Standing::known, grant->epoch};
}

}  // namespace

/// Sightings that wait for the one that is being written: with many devices they go in batches.
struct PgStore::Presence {
    std::map<DeviceNumber, Sighting> waiting;
    bool writing = false;
};

PgStore::PgStore(QueryQueue& queue)
    : queue_(queue),
      presence_(std::make_shared<Presence>()),
      writer_(std::make_shared<IngestWriter>()),
      counters_(std::make_shared<StoreCounters>()) {}

void PgStore::open_session(DeviceNumber concentrator, Instant now,
                           std::function<void(std::optional<frontend::SessionOpened>)> done) {
    queue_.run(
        [concentrator, now](Connection& connection) {
            return opened(Concentrators{connection}.open_session(concentrator, now));
        },
        std::move(done));
}

void PgStore::cursor(JournalId journal, DeviceNumber concentrator,
                     std::function<void(std::optional<Sequence>)> done) {
    queue_.run(
        [journal, concentrator](Connection& connection) {
            const auto found = Concentrators{connection}.find(concentrator);
            return found ? Cursors{connection}.find(found->id, journal) : Sequence{0};
        },
        std::move(done));
}

void PgStore::store(frontend::Batch batch, std::function<void(StoreOutcome)> done) {
    queue_.run([writer = writer_, batch = std::move(batch)](
                   Connection& connection) { return store_surely(*writer, connection, batch); },
               [counters = counters_, done = std::move(done)](std::optional<Ingested> ingested) {
                   count(*counters, ingested);
                   done(ingested ? ingested->outcome : StoreOutcome::unavailable);
               });
}

void PgStore::seen(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen, frontend::LinkState link) {
    presence_->waiting[concentrator] = {concentrator, epoch, last_seen, link};
    note(queue_, presence_);
}

void PgStore::note(QueryQueue& queue, const std::shared_ptr<Presence>& presence) {
    if (presence->writing || presence->waiting.empty() || queue.full()) return;
    presence->writing = true;
    std::vector<Sighting> batch;
    for (const auto& [number, sighting] : std::exchange(presence->waiting, {})) batch.push_back(sighting);
    queue.execute(
        [batch = std::move(batch)](Connection& connection) { Concentrators{connection}.seen(batch); },
        [&queue, presence = std::weak_ptr{presence}](bool) {
            const auto alive = presence.lock();  // as long as the store, which the queue outlives
            if (!alive) return;
            alive->writing = false;
            note(queue, alive);
        });
}

}  // namespace wattmesh::headend::database
