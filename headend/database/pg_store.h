#pragma once
#include <atomic>
#include <memory>

#include "headend/database/ingest_writer.h"
#include "headend/database/query_queue.h"
#include "headend/frontend/store.h"

namespace wattmesh::headend::database {

/// Totals since the program started. Any thread.
struct StoreCounters {
    std::atomic<std::int64_t> batches{0}, rows_new{0}, rows_filled{0}, rows_duplicate{0},
        values_conflicting{0}, rejected{0}, entries_replayed{0}, lost_races{0}, superseded{0}, unavailable{0};
};

/// frontend::Store on PostgreSQL. Calls from one loop thread; the work runs on the queue's threads. A batch
/// that is in flight at the end of the program is stored whole or not at all.
class PgStore : public frontend::Store {
public:
    explicit PgStore(QueryQueue& queue);

    void open_session(DeviceNumber concentrator, Instant now,
                      std::function<void(std::optional<frontend::SessionOpened>)> done) override;
    void cursor(JournalId journal, DeviceNumber concentrator,
                std::function<void(std::optional<Sequence>)> done) override;
    void store(frontend::Batch batch, std::function<void(frontend::StoreOutcome)> done) override;
    void seen(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen,
              frontend::LinkState link) override;

    const StoreCounters& counters() const { return *counters_; }

private:
    struct Presence;
    static void note(QueryQueue& queue, const std::shared_ptr<Presence>& presence);

    QueryQueue& queue_;
    std::shared_ptr<Presence> presence_;
    std::shared_ptr<IngestWriter> writer_;
    std::shared_ptr<StoreCounters> counters_;
};

}  // namespace wattmesh::headend::database
