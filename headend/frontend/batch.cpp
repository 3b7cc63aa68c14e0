#include "headend/frontend/batch.h"

#include <algorithm>
#include <utility>

#include "protocol/dcu/firmware.h"

namespace wattmesh::headend::frontend {
namespace {

/// A meter's clock may run ahead a little; beyond that an instant is nonsense and must not reach a table
/// partitioned by day.
constexpr Duration ahead_max = std::chrono::hours{24};
constexpr Instant earliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};

std::string word(Fault fault, std::string_view what) {
    return std::string{what} + ": " + std::string{to_string(fault)};
}

/// Why this event's payload is not what its kind promises; empty when it is.
std::string event_fault(const dcu::Entry& entry) {
    const auto fault_of = [](const auto& decoded, std::string_view what) {
        return decoded ? std::string{} : word(decoded.error().fault, what);
    };
    switch (entry.kind) {
        case dcu::EntryKind::meter_joined:
            return fault_of(dcu::decode_meter_link(entry.payload), "mesh link");
        case dcu::EntryKind::read_failed:
            return fault_of(dcu::decode_read_failure(entry.payload), "read failure");
        case dcu::EntryKind::gap:
            return fault_of(dcu::decode_gap_range(entry.payload), "gap");
        case dcu::EntryKind::power_lost:
            return fault_of(dcu::decode_power_loss(entry.payload), "power loss");
        case dcu::EntryKind::outage:
            return fault_of(dcu::decode_outage(entry.payload), "outage");
        case dcu::EntryKind::outage_end:
            return fault_of(dcu::decode_outage_end(entry.payload), "end of an outage");
        case dcu::EntryKind::pan_clash:
            return fault_of(dcu::decode_pan_clash(entry.payload), "PAN clash");
        case dcu::EntryKind::image_told:
            return fault_of(dcu::decode_image_told(entry.payload), "word of a firmware image");
        case dcu::EntryKind::power_back:
        case dcu::EntryKind::meter_deleted:
        case dcu::EntryKind::relay_evicted:
        case dcu::EntryKind::meter_cloned:
        case dcu::EntryKind::join_forged:
        case dcu::EntryKind::meter_lost:
        case dcu::EntryKind::unknown_meter:
        case dcu::EntryKind::started:
            return {};
        default:
            return "entry kind " + std::to_string(static_cast<int>(entry.kind)) + " is not known";
    }
}

/// Rows of one entry; the reason when they cannot be stored.
std::string add_intervals(Batch& batch, const dcu::Entry& entry, const ProfilePeriods& periods) {
    auto profile = dcu::decode_profile_rows(entry.payload);
    if (!profile) return word(profile.error().fault, "profile rows");
    const auto period = periods.find(profile->profile);
    if (period == periods.end()) return "profile " + to_string(profile->profile) + " is not known";
    auto rows = dcu::interval_rows(*profile, period->second);
    if (!rows) return word(rows.error().fault, "interval rows");
    const bool believable = std::all_of(rows->begin(), rows->end(), [&](const dcu::IntervalRow& row) {
        return row.at >= earliest && row.at <= batch.received + ahead_max;
    });
    if (!believable) return "an instant is before 2000 or more than a day ahead";
    batch.intervals.push_back(
        {entry.meter, profile->profile, *std::move(rows), entry.sequence, entry.clock_doubtful});
    return {};
}

}  // namespace

std::size_t add_entries(Batch& batch, const std::vector<dlms::Data>& rows, Sequence last,
                        const ProfilePeriods& periods) {
    std::size_t stale = 0;
    for (const dlms::Data& row : rows) {
        const Sequence next{batch.to.value + 1};
        auto entry = dcu::entry_from_data(row);
        if (entry && entry->sequence < next) {
            ++stale;
            continue;
        }
        if (!entry || (entry->sequence > next && entry->sequence > last)) {
            const std::string reason =
                entry ? "sequence beyond the journal's end" : word(entry.error().fault, "journal row");
            batch.rejected.push_back(
                {next, entry ? entry->meter : DeviceNumber{}, dlms::encode_data(row), reason});
            batch.to = next;
            continue;
        }
        batch.to = entry->sequence;
        if (entry->time < batch.session_since) ++batch.replayed;
        std::string reason;
        if (entry->kind == dcu::EntryKind::interval_rows) {
            reason = add_intervals(batch, *entry, periods);
        } else if (reason = event_fault(*entry); reason.empty()) {
            batch.events.push_back({*std::move(entry)});
            continue;
        }
        if (!reason.empty()) {
            batch.rejected.push_back(
                {entry->sequence, entry->meter, dlms::encode_data(row), std::move(reason)});
        }
    }
    return stale;
}

}  // namespace wattmesh::headend::frontend
