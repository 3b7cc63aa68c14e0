#pragma once
#include <deque>
#include <functional>

#include "concentrator/journal/journal_database.h"
#include "platform/executor.h"

namespace wattmesh::concentrator {

/// Told on the loop what the disk said; the text is for the log only.
using StoreFailed = std::function<void(const char* what)>;

/// `JournalStore` over a `JournalDatabase` that only the executor's jobs touch, one at a time and in order.
/// The store and the database outlive the executor's work.
class QueuedStore final : public JournalStore {
public:
    QueuedStore(JournalDatabase& database, platform::Executor& executor, StoreFailed failed = {});

    void commit(Commit commit, Done<Directory> done) override;
    void directory(Done<Directory> done) override;
    void read(JournalId journal, Sequence after, std::uint32_t count, std::size_t octets_max,
              Done<std::vector<dcu::Entry>> done) override;
    void acknowledge(dcu::Acknowledgement acknowledgement, JournalId next,
                     Done<AcknowledgeOutcome> done) override;
    void erase(Instant before, Done<Directory> done) override;
    void limit(std::uint32_t entries_max) override;
    void put_object(StoredObject object, std::function<void(bool)> done) override;
    void put_mesh_state(Buffer state, std::function<void(bool)> done) override;
    void put_image(ImageChange change, std::function<void(bool)> done) override;
    void reserve_counters(std::vector<CounterRequest> meters, std::uint32_t block,
                          Done<std::vector<CounterBlock>> done) override;

private:
    template <class T, class Work>
    void run(Work work, Done<T> done);

    struct Posted {
        std::function<void()> job;
        platform::Executor::Completion completion;
    };
    void post(Posted posted);

    JournalDatabase& database_;
    platform::Executor& executor_;
    StoreFailed failed_;
    std::deque<Posted> waiting_;  ///< the executor is full; in order
};

}  // namespace wattmesh::concentrator
