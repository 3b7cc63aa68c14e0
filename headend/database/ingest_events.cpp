#include "headend/database/ingest_events.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "headend/database/bindings.h"
#include "headend/database/firmware.h"
#include "headend/database/leases.h"

namespace wattmesh::headend::database {
namespace {

/// The typed columns of an event; those its kind has not stay null.
struct Details {
    std::optional<std::int64_t> fault, hops, parent, rssi_dbm, gap_first, gap_last, sub_address, join_counter;
    std::optional<std::int64_t> inferred, members, reported, silent, back, missing;
    std::optional<Instant> from, to;
    std::optional<std::string> route;  ///< a PostgreSQL array
};

std::optional<Details> details_of(const dcu::Entry& entry) {
    Details out;
    if (entry.kind == dcu::EntryKind::meter_joined) {
        const auto link = dcu::decode_meter_link(entry.payload);
        if (!link) return std::nullopt;
        out.hops = link->hops;
        out.parent = number_of(link->parent);
        if (link->sub_address > 64) return std::nullopt;
        if (link->sub_address != 0)
            out.sub_address = link->sub_address;
        else
            out.rssi_dbm = link->rssi_dbm;
        out.route = array_text(link->route);
        if (link->join_counter != 0) out.join_counter = link->join_counter;
    } else if (entry.kind == dcu::EntryKind::power_lost) {
        const auto loss = dcu::decode_power_loss(entry.payload);
        if (!loss) return std::nullopt;
        out.inferred = loss->inferred ? 1 : 0;
    } else if (entry.kind == dcu::EntryKind::outage) {
        const auto outage = dcu::decode_outage(entry.payload);
        if (!outage) return std::nullopt;
        out.members = outage->members;
        out.reported = outage->reported;
        out.silent = outage->inferred;
    } else if (entry.kind == dcu::EntryKind::outage_end) {
        const auto end = dcu::decode_outage_end(entry.payload);
        if (!end) return std::nullopt;
        out.back = end->back;
        out.missing = end->missing;
    } else if (entry.kind == dcu::EntryKind::pan_clash) {
        const auto clash = dcu::decode_pan_clash(entry.payload);
        if (!clash) return std::nullopt;
        out.parent = number_of(clash->other);
    } else if (entry.kind == dcu::EntryKind::read_failed) {
        const auto failure = dcu::decode_read_failure(entry.payload);
        if (!failure) return std::nullopt;
        out.fault = static_cast<std::int64_t>(failure->fault);
        out.from = failure->from;
        out.to = failure->to;
    } else if (entry.kind == dcu::EntryKind::reported) {
        if (entry.payload.empty()) return std::nullopt;
        out.fault = entry.payload.front();
    } else if (entry.kind == dcu::EntryKind::gap) {
        const auto gap = dcu::decode_gap_range(entry.payload);
        if (!gap) return std::nullopt;
        out.gap_first = static_cast<std::int64_t>(gap->first.value);
        out.gap_last = static_cast<std::int64_t>(gap->last.value);
    }
    return out;
}

/// Text that every log and terminal can show; PostgreSQL refuses a zero octet and bad UTF-8.
std::string printable(std::string text) {
    if (text.size() > 500) text.resize(500);
    for (auto& c : text)
        if (c < ' ' || c > '~') c = '?';
    return text;
}

struct EventRow {
    long long meter = 0, journal = 0;
    Sequence sequence;
    int kind = 0, doubtful = 0;
    Instant at{};
    Details details;
};

}  // namespace

void put_events(Connection& connection, std::int64_t journal_row, const KnownConcentrator& concentrator,
                const frontend::Batch& batch, std::vector<frontend::RejectedEntry>& rejected) {
    if (batch.events.empty()) return;
    connection.run("storing events", [&](soci::session& sql) {
        EventRow row;
        row.journal = journal_row;
        std::optional<long long> fault, hops, parent, rssi, gap_first, gap_last, sub, inferred, members,
            reported, silent, back, missing, join;
        std::optional<std::string> route;
        soci::statement insert =
            (sql.prepare
                 << "with stored as (insert into event (meter_number, journal, sequence, concentrator, "
                    "tenant, area, "
                    "kind, at_us, "
                    "clock_doubtful, received_us, fault, from_us, to_us, hops, parent, rssi_dbm, "
                    "gap_first, gap_last, sub_address, inferred, members, reported, silent, back, missing, "
                    "route, join_counter) "
                    "values (:meter, :journal, :sequence, :concentrator, :tenant, :area, :kind, :at, "
                    ":doubtful <> 0, "
                    ":received, :fault, :from, :to, :hops, :parent, :rssi, :gap_first, :gap_last, :sub, "
                    "cast(:inferred as integer) <> 0, :members, :reported, :silent, :back, :missing, "
                    "cast(:route as bigint[]), :join) on conflict do nothing returning *) "
                    "select tell_event(stored::event) from stored",
             use(row.meter), use(row.journal), use(row.sequence), use(concentrator.id),
             use(concentrator.tenant), use(concentrator.area), use(row.kind), use(row.at), use(row.doubtful),
             use(batch.received), use(fault), use(row.details.from), use(row.details.to), use(hops),
             use(parent), use(rssi), use(gap_first), use(gap_last), use(sub), use(inferred), use(members),
             use(reported), use(silent), use(back), use(missing), use(route), use(join));
        for (const auto& event : batch.events) {
            if (event.entry.kind == dcu::EntryKind::image_told) continue;  // its own table: tell_firmware
            const auto details = details_of(event.entry);
            if (!details) {
                rejected.push_back({event.entry.sequence, event.entry.meter, event.entry.payload,
                                    "the event's payload is malformed"});
                continue;
            }
            row.meter = number_of(event.entry.meter);
            row.sequence = event.entry.sequence;
            row.kind = static_cast<int>(event.entry.kind);
            row.doubtful = event.entry.clock_doubtful ? 1 : 0;
            row.at = event.entry.time;
            row.details = *details;
            std::tie(fault, hops, parent, rssi, gap_first, gap_last, sub) =
                std::tie(details->fault, details->hops, details->parent, details->rssi_dbm,
                         details->gap_first, details->gap_last, details->sub_address);
            std::tie(inferred, members, reported, silent, back, missing, route, join) =
                std::tie(details->inferred, details->members, details->reported, details->silent,
                         details->back, details->missing, details->route, details->join_counter);
            insert.execute(true);
        }
    });
}

void settle_leases(Connection& connection, const KnownConcentrator& concentrator,
                   const frontend::Batch& batch) {
    // By number: two writers never wait for each other in a circle.
    std::map<DeviceNumber, std::vector<const dcu::Entry*>> news;
    for (const auto& event : batch.events)
        if (event.entry.kind == dcu::EntryKind::meter_joined ||
            event.entry.kind == dcu::EntryKind::unknown_meter)
            news[event.entry.meter].push_back(&event.entry);
    Leases leases{connection};
    for (const auto& [meter, entries] : news)
        for (const auto* entry : entries) {
            if (entry->kind == dcu::EntryKind::unknown_meter) {
                leases.visit(meter, concentrator.id, batch.received);
            } else if (const auto link = dcu::decode_meter_link(entry->payload)) {
                leases.claim(meter, concentrator.id,
                             {.by = batch.concentrator,
                              .join_counter = link->join_counter,
                              .at = entry->time,
                              .clock_doubtful = entry->clock_doubtful});
            }
        }
}

void tell_firmware(Connection& connection, const KnownConcentrator& concentrator,
                   const frontend::Batch& batch) {
    for (const auto& event : batch.events) {
        if (event.entry.kind != dcu::EntryKind::image_told) continue;
        const auto told = dcu::decode_image_told(event.entry.payload);
        if (told) FirmwareRoad{connection}.told(event.entry.meter, concentrator.id, *told, event.entry.time);
    }
}

void put_rejected(Connection& connection, std::int64_t journal_row, const KnownConcentrator& concentrator,
                  const std::vector<frontend::RejectedEntry>& rejected, Instant received) {
    if (rejected.empty()) return;
    connection.run("storing rejected entries", [&](soci::session& sql) {
        std::map<Sequence, int> parts;
        for (const auto& entry : rejected) {
            const long long meter = number_of(entry.meter), journal = journal_row;
            const auto reason = printable(entry.reason), raw = bytea(entry.raw);
            const int part = parts[entry.sequence]++;
            sql << "insert into rejected_entry (meter_number, journal, sequence, part, concentrator, tenant, "
                   "area, reason, "
                   "raw, received_us) values (:meter, :journal, :sequence, :part, :concentrator, :tenant, "
                   ":area, :reason, "
                   ":raw, :received) on conflict do nothing",
                use(meter), use(journal), use(entry.sequence), use(part), use(concentrator.id),
                use(concentrator.tenant), use(concentrator.area), use(reason), use(raw), use(received);
        }
    });
}

}  // namespace wattmesh::headend::database
