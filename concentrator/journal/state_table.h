#pragma once
#include <soci/soci.h>

#include <vector>

#include "concentrator/journal/journal_store.h"

namespace wattmesh::concentrator {

/// Tables beside the journal: `position`, `range`, `object`, `counter`, `state`. The caller owns the
/// transaction.
class StateTable {
public:
    explicit StateTable(soci::session& sql) : sql_(sql) {}

    static void create(soci::session& sql);
    std::vector<ReadPosition> positions();
    void put(const ReadPosition& position);

    std::vector<PendingRange> ranges();
    std::uint64_t range_id_last();
    void put(const PendingRange& range);
    void remove_range(std::uint64_t id);

    std::vector<StoredObject> objects();
    void put(const StoredObject& object);

    CounterBlock reserve(const CounterRequest& request, std::uint32_t block);
    void put(const ReceivedCounter& received);

    Buffer mesh_state();
    void put_mesh_state(const Buffer& state);

private:
    soci::session& sql_;
};

}  // namespace wattmesh::concentrator
