#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "headend/frontend/store.h"

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
};

/// The rules of design.md "Replication" in their simplest form, to compare PostgreSQL with.
class MemoryModel final : public HeadModel {
public:
    headend::frontend::SessionOpened open_session(DeviceNumber concentrator, Instant now) override;
    Sequence cursor(const JournalId& journal, DeviceNumber concentrator) override;
    headend::frontend::StoreOutcome store(const headend::frontend::Batch& batch) override;
    StoredRows rows() override { return rows_; }
    std::uint64_t conflicts() override { return conflicts_; }
    std::uint64_t rejected() override { return rejected_; }

private:
    struct Cursor {
        Sequence at;
        OwnerEpoch by;
    };
    std::map<DeviceNumber, OwnerEpoch> epochs_;
    std::map<std::pair<DeviceNumber, JournalId>, Cursor> cursors_;
    StoredRows rows_;
    std::uint64_t conflicts_ = 0, rejected_ = 0;
};

}  // namespace wattmesh::fleet
