#include "tests/fleet/head_model.h"

namespace wattmesh::fleet {

using namespace headend::frontend;

SessionOpened MemoryModel::open_session(DeviceNumber concentrator, Instant) {
    auto& epoch = epochs_[concentrator];
    ++epoch.value;
    return {Standing::known, epoch};
}

Sequence MemoryModel::cursor(const JournalId& journal, DeviceNumber concentrator) {
    const auto found = cursors_.find({concentrator, journal});
    return found == cursors_.end() ? Sequence{} : found->second.at;
}

StoreOutcome MemoryModel::store(const Batch& batch) {
    if (batch.epoch != epochs_[batch.concentrator]) return StoreOutcome::superseded;
    auto& cursor = cursors_[{batch.concentrator, batch.journal}];
    if (cursor.at == batch.to && cursor.by == batch.epoch) return StoreOutcome::stored;
    if (cursor.at != batch.from) return StoreOutcome::lost_race;
    cursor = {batch.to, batch.epoch};
    for (const auto& meter : batch.intervals)
        for (const auto& row : meter.rows) {
            const auto [at, fresh] = rows_.try_emplace({meter.meter, row.at}, row);
            if (!fresh && !(at->second == row)) ++conflicts_;
        }
    rejected_ += batch.rejected.size();
    return StoreOutcome::stored;
}

}  // namespace wattmesh::fleet
