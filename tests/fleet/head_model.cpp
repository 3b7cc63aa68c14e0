#include "tests/fleet/head_model.h"

namespace wattmesh::fleet {

using namespace headend::frontend;

MemoryModel::MemoryModel(const Scene& scene) {
    for (const auto& meter : scene.town.meters) {
        homes_[meter.number] = meter.concentrator;
        leases_[meter.number].holder = meter.concentrator;
        roles_[meter.number] =
            meter.kind == sim::LoadKind::summary ? dcu::MeterRole::summary : dcu::MeterRole::customer;
    }
}

dcu::MeterList MemoryModel::list(DeviceNumber concentrator) {
    dcu::MeterList list;
    for (const auto& [meter, home] : homes_)
        if (home == concentrator || visits_.contains({concentrator, meter}))
            list.meters.push_back({meter, roles_.at(meter), told_to(concentrator, leases_.at(meter))});
    return list;
}

void MemoryModel::settle(const Batch& batch, const dcu::Entry& entry) {
    if (entry.kind == dcu::EntryKind::image_told)
        told_[entry.meter] = dcu::decode_image_told(entry.payload).value();
    if (entry.kind == dcu::EntryKind::unknown_meter) visits_.emplace(batch.concentrator, entry.meter);
    if (entry.kind != dcu::EntryKind::meter_joined || !homes_.contains(entry.meter)) return;
    const auto link = dcu::decode_meter_link(entry.payload).value();
    auto& lease = leases_.at(entry.meter);
    const Claim claim{batch.concentrator, link.join_counter, entry.time, entry.clock_doubtful};
    if (headend::frontend::settle(lease, claim) == Settled::moved) lease.stored_to = stored_to(entry.meter);
}

/// Meters have a row from the first quarter of an hour on.
std::optional<Instant> MemoryModel::stored_to(const DeviceNumber& meter) const {
    constexpr Duration period = std::chrono::minutes{15};
    auto row = rows_.lower_bound({meter, Instant{}});
    if (row == rows_.end() || row->first.first != meter || row->first.second > history_from + period)
        return std::nullopt;
    Instant reached = row->first.second;
    for (++row; row != rows_.end() && row->first == RowKey{meter, reached + period}; ++row) reached += period;
    return reached;
}

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
    for (const auto& event : batch.events) settle(batch, event.entry);
    return StoreOutcome::stored;
}

}  // namespace wattmesh::fleet
