#pragma once
#include <memory>
#include <string>

#include "concentrator/journal/journal_store.h"

namespace wattmesh::concentrator {

/// The store's SQL: SQLite through SOCI, WAL, synchronous=FULL. Blocking, one thread at a time; every call is
/// one transaction and throws std::runtime_error when the disk fails (nothing is stored then). `QueuedStore`
/// puts it behind the port.
class JournalDatabase {
public:
    /// Opens or creates `path`, drops journals that are drained and erased, and begins the journal `id`.
    /// Throws with the file's name.
    JournalDatabase(const std::string& path, JournalId id);
    ~JournalDatabase();

    const Recovered& recovered() const;
    Directory commit(const Commit& commit);
    Directory directory();
    std::vector<dcu::Entry> read(JournalId journal, Sequence after, std::uint32_t count,
                                 std::size_t octets_max);
    AcknowledgeOutcome acknowledge(const dcu::Acknowledgement& acknowledgement, JournalId next);
    Directory erase(Instant before);
    /// Ring size; above it the oldest entries go, acknowledged ones first. Unacknowledged ones leave a gap
    /// entry in their journal.
    void limit(std::uint32_t entries_max);
    void put_object(const StoredObject& object);
    void put_mesh_state(const Buffer& state);
    void put_image(const ImageChange& change);
    std::vector<CounterBlock> reserve_counters(const std::vector<CounterRequest>& meters,
                                               std::uint32_t block);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::concentrator
