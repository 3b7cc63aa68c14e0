#include "headend/database/ingest_events.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// The typed columns of an event; those its kind has not stay null.
struct Details {
    std::optional<std::int64_t> fault, hops, parent, rssi_dbm, gap_first, gap_last;
    std::optional<Instant> from, to;
};

std::optional<Details> details_of(const dcu::Entry& entry) {
    Details out;
    if (entry.kind == dcu::EntryKind::meter_joined) {
        const auto link = dcu::decode_meter_link(entry.payload);
        if (!link) return std::nullopt;
        out.hops = link->hops;
        out.parent = number_of(link->parent);
        out.rssi_dbm = link->rssi_dbm;
    } else if (entry.kind == dcu::EntryKind::read_failed) {
        const auto failure = dcu::decode_read_failure(entry.payload);
        if (!failure) return std::nullopt;
        out.fault = static_cast<std::int64_t>(failure->fault);
        out.from = failure->from;
        out.to = failure->to;
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
        std::optional<long long> fault, hops, parent, rssi, gap_first, gap_last;
        soci::statement insert =
            (sql.prepare << "insert into event (meter_number, journal, sequence, concentrator, tenant, area, "
                            "kind, at_us, "
                            "clock_doubtful, received_us, fault, from_us, to_us, hops, parent, rssi_dbm, "
                            "gap_first, gap_last) "
                            "values (:meter, :journal, :sequence, :concentrator, :tenant, :area, :kind, :at, "
                            ":doubtful <> 0, "
                            ":received, :fault, :from, :to, :hops, :parent, :rssi, :gap_first, :gap_last) on "
                            "conflict do nothing",
             soci::use(row.meter), soci::use(row.journal), soci::use(row.sequence),
             soci::use(concentrator.id), soci::use(concentrator.tenant), soci::use(concentrator.area),
             soci::use(row.kind), soci::use(row.at), soci::use(row.doubtful), soci::use(batch.received),
             soci::use(fault), soci::use(row.details.from), soci::use(row.details.to), soci::use(hops),
             soci::use(parent), soci::use(rssi), soci::use(gap_first), soci::use(gap_last));
        for (const auto& event : batch.events) {
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
            std::tie(fault, hops, parent, rssi, gap_first, gap_last) =
                std::tie(details->fault, details->hops, details->parent, details->rssi_dbm,
                         details->gap_first, details->gap_last);
            insert.execute(true);
        }
    });
}

void put_rejected(Connection& connection, std::int64_t journal_row, const KnownConcentrator& concentrator,
                  const std::vector<frontend::RejectedEntry>& rejected, Instant received) {
    if (rejected.empty()) return;
    connection.run("storing rejected entries", [&](soci::session& sql) {
        std::map<Sequence, int> parts;
        for (const auto& entry : rejected) {
            const long long meter = number_of(entry.meter), journal = journal_row;
            const int part = parts[entry.sequence]++;
            sql << "insert into rejected_entry (meter_number, journal, sequence, part, concentrator, tenant, "
                   "area, reason, "
                   "raw, received_us) values (:meter, :journal, :sequence, :part, :concentrator, :tenant, "
                   ":area, :reason, "
                   ":raw, :received) on conflict do nothing",
                soci::use(meter), soci::use(journal), soci::use(entry.sequence), soci::use(part),
                soci::use(concentrator.id), soci::use(concentrator.tenant), soci::use(concentrator.area),
                soci::use(printable(entry.reason)), soci::use(bytea(entry.raw)), soci::use(received);
        }
    });
}

}  // namespace wattmesh::headend::database
