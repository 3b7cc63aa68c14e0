#pragma once
#include <functional>
#include <map>
#include <optional>

#include "concentrator/journal/journal_store.h"
#include "protocol/dcu/firmware.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::concentrator {

/// The objects the head-end writes and reads back: meter list, wrapped keys, reading plan, limits, firmware
/// order; and the version of the last backfill. What was accepted is durable before it is acknowledged and
/// before it takes effect.
class VersionedObjects {
public:
    VersionedObjects(JournalStore& store, const std::vector<StoredObject>& recovered);

    const dcu::MeterList& meter_list() const { return meter_list_; }
    const dcu::WrappedKeys& wrapped_keys() const { return wrapped_keys_; }
    const dcu::ReadingPlan& reading_plan() const { return reading_plan_; }
    const dcu::Limits& limits() const { return limits_; }
    const dcu::FirmwareOrder& firmware_order() const { return firmware_order_; }

    static bool is_one(const ObisCode& code);
    /// What a GET shows. Keys never come back: only their version and the SHA-256 of what was written.
    dlms::ReadOutcome get(const ObisCode& code) const;
    /// `applied` runs after a change is durable, before `done(success)`.
    void set(const ObisCode& code, const dlms::Data& value, std::function<void()> applied,
             std::function<void(dlms::AccessResult)> done);
    /// As set, for the backfill: its ranges go to `read`, which says whether they are durable.
    using ReadAgain = std::function<void(const std::vector<dcu::BackfillRange>&, std::function<void(bool)>)>;
    void backfill(const dlms::Data& value, const ReadAgain& read,
                  std::function<void(dlms::AccessResult)> done);

private:
    bool load(const StoredObject& object);
    /// Nothing: go on. Else the answer.
    std::optional<dlms::AccessResult> judge(const StoredObject& object) const;

    JournalStore& store_;
    std::map<ObisCode, StoredObject> stored_;
    dcu::MeterList meter_list_;
    dcu::WrappedKeys wrapped_keys_;
    dcu::ReadingPlan reading_plan_;
    dcu::Limits limits_;
    dcu::FirmwareOrder firmware_order_;
};

}  // namespace wattmesh::concentrator
