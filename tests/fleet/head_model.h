#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "headend/frontend/lease.h"
#include "headend/frontend/store.h"
#include "protocol/dcu/firmware.h"
#include "tests/fleet/town.h"

namespace wattmesh::fleet {

/// A stored interval row, as far as the truth speaks of it.
using RowKey = std::pair<DeviceNumber, Instant>;
using StoredRows = std::map<RowKey, dcu::IntervalRow>;

/// What both front-ends write to, called in one thread, one call a transaction: a model in memory or
/// PostgreSQL.
class HeadModel {
public:
    virtual ~HeadModel() = default;
    virtual headend::frontend::SessionOpened open_session(DeviceNumber concentrator, Instant now) = 0;
    virtual Sequence cursor(const JournalId& journal, DeviceNumber concentrator) = 0;
    virtual headend::frontend::StoreOutcome store(const headend::frontend::Batch& batch) = 0;
    virtual StoredRows rows() = 0;
    virtual std::uint64_t conflicts() = 0;
    virtual std::uint64_t rejected() = 0;
    /// The list this concentrator should have, version 0, without collectors.
    virtual dcu::MeterList list(DeviceNumber concentrator) = 0;
    /// Whether this collector of another concentrator has asked there.
    virtual bool visits(DeviceNumber /*concentrator*/, DeviceNumber /*collector*/) { return false; }
};

/// The rules of design.md "Replication" in their simplest form, to compare PostgreSQL with.
class MemoryModel final : public HeadModel {
public:
    explicit MemoryModel(const Scene& scene);
    headend::frontend::SessionOpened open_session(DeviceNumber concentrator, Instant now) override;
    Sequence cursor(const JournalId& journal, DeviceNumber concentrator) override;
    headend::frontend::StoreOutcome store(const headend::frontend::Batch& batch) override;
    StoredRows rows() override { return rows_; }
    std::uint64_t conflicts() override { return conflicts_; }
    std::uint64_t rejected() override { return rejected_; }
    dcu::MeterList list(DeviceNumber concentrator) override;
    /// What each meter said last of a firmware image.
    const std::map<DeviceNumber, dcu::ImageTold>& told() const { return told_; }
    bool visits(DeviceNumber concentrator, DeviceNumber collector) override {
        return visits_.contains({concentrator, collector});
    }

private:
    void settle(const headend::frontend::Batch& batch, const dcu::Entry& entry);
    std::optional<Instant> stored_to(const DeviceNumber& meter) const;
    struct Cursor {
        Sequence at;
        OwnerEpoch by;
    };
    std::map<DeviceNumber, OwnerEpoch> epochs_;
    std::map<std::pair<DeviceNumber, JournalId>, Cursor> cursors_;
    StoredRows rows_;
    std::map<DeviceNumber, dcu::MeterRole> roles_;
    std::map<DeviceNumber, DeviceNumber> homes_;
    std::map<DeviceNumber, headend::frontend::Lease> leases_;
    std::set<std::pair<DeviceNumber, DeviceNumber>> visits_;  ///< concentrator, meter
    std::map<DeviceNumber, dcu::ImageTold> told_;
    std::uint64_t conflicts_ = 0, rejected_ = 0;
};

}  // namespace wattmesh::fleet
