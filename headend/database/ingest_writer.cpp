#include "headend/database/ingest_writer.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "headend/database/bindings.h"
#include "headend/database/cursors.h"
#include "headend/database/ingest_events.h"
#include "headend/database/ingest_merge.h"
#include "headend/database/ingest_rows.h"

namespace wattmesh::headend::database {
namespace {

using Rows = std::vector<const PendingRow*>;

bool same_key(const PendingRow& a, const PendingRow& b) {
    return a.meter == b.meter && a.bank == b.bank && a.at == b.at;
}

/// The batch's rows in the order in which they may be written: every round holds a key once. Round 0 is split
/// into what is above its meter's high-water mark and what is not.
struct Rounds {
    Rows above;
    std::vector<Rows> merges{1};
};

Rounds rounds_of(const std::vector<PendingRow>& rows, const IngestCatalog& catalog) {
    Rounds out;
    std::size_t round = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        round = i > 0 && same_key(rows[i - 1], rows[i]) ? round + 1 : 0;
        if (out.merges.size() <= round) out.merges.emplace_back();
        if (round == 0 && rows[i].at > catalog.mark(rows[i].meter, rows[i].bank))
            out.above.push_back(&rows[i]);
        else
            out.merges[round].push_back(&rows[i]);
    }
    return out;
}

void add(Ingested& total, std::map<Sequence, int>& overlapping, const Merged& merged) {
    total.merged = true;
    total.rows_new += merged.rows_new;
    total.rows_filled += merged.rows_filled;
    total.values_conflicting += merged.values_conflicting;
    total.rows_duplicate += merged.rows_overlapping - merged.rows_filled;
    for (const auto& [sequence, rows] : merged.overlapping) overlapping[sequence] += rows;
}

void put_rows(Connection& connection, const IngestCatalog& catalog, std::int64_t journal_row,
              const PendingBatch& pending, Instant received, Ingested& total) {
    auto rounds = rounds_of(pending.rows, catalog);
    std::map<Sequence, int> overlapping;
    if (!rounds.above.empty()) {
        if (copy_new_rows(connection, journal_row, rounds.above))
            total.rows_new += static_cast<int>(rounds.above.size());
        else
            rounds.merges.front().insert(rounds.merges.front().end(), rounds.above.begin(),
                                         rounds.above.end());
    }
    for (const auto& rows : rounds.merges)
        if (!rows.empty()) add(total, overlapping, merge_rows(connection, journal_row, rows, received));

    std::map<Sequence, int> all;
    for (const auto& row : pending.rows) ++all[row.sequence];
    for (const auto& [sequence, rows] : overlapping)
        if (rows == all[sequence]) ++total.entries_replayed;
}

void mark_dirty(Connection& connection, const std::vector<PendingRow>& rows, Instant received) {
    std::set<std::tuple<std::int16_t, std::int32_t, ConcentratorId>>
        marks;  // ordered: no deadlock with another writer
    for (const auto& row : rows) marks.emplace(row.bank, utc_day(row.at), row.owner);
    connection.run("marking days for the aggregates", [&](soci::session& sql) {
        for (const auto& [bank_id, day, concentrator] : marks) {
            const int bank = bank_id;
            sql << "insert into dirty_day as old (bank, day, concentrator, mark, marked_us) "
                   "values (:bank, :day, :concentrator, 1, :now) "
                   "on conflict (bank, day, concentrator) do update set mark = old.mark + 1",
                use(bank), use(day), use(concentrator), use(received);
        }
    });
}

/// Partners with a contract for readings learn that there are some, not what they are.
void tell_readings(Connection& connection, const std::vector<PendingRow>& rows) {
    std::vector<std::int64_t> meters, banks, from, to, counts;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        if (i == 0 || rows[i - 1].meter != row.meter || rows[i - 1].bank != row.bank) {
            meters.push_back(row.meter.value);
            banks.push_back(row.bank);
            from.push_back(epoch_us(row.at));
            to.push_back(0);
            counts.push_back(0);
        }
        to.back() = epoch_us(row.at);
        ++counts.back();
    }
    if (meters.empty()) return;
    connection.run("telling of readings", [&](soci::session& sql) {
        const auto meter_list = array_text(meters), bank_list = array_text(banks),
                   from_list = array_text(from), to_list = array_text(to), count_list = array_text(counts);
        sql << "select tell_readings(cast(:meters as bigint[]), cast(:banks as smallint[]), cast(:from as "
               "bigint[]), cast(:to as bigint[]), cast(:counts as integer[]))",
            use(meter_list), use(bank_list), use(from_list), use(to_list), use(count_list);
    });
}

void count_race(Cursors& cursors, const frontend::Batch& batch, const Advanced& advanced, Ingested& total) {
    if (advanced.sequence <= batch.from) return;
    const auto last = std::min(advanced.sequence, batch.to);
    total.entries_replayed = static_cast<int>(last.value - batch.from.value);
    cursors.count(advanced.journal_row, 0, total.entries_replayed, 0, 0);
}

}  // namespace

Ingested IngestWriter::store(Connection& connection, const frontend::Batch& batch) {
    if (batch.to < batch.from ||
        batch.to.value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        throw DatabaseError(Trouble::refused, "", "while storing a batch: its sequence range is impossible");
    try {
        return attempt(connection, batch);
    } catch (const DatabaseError& error) {
        // 23514: no partition for the row, 42P01: no such table, so what we remember is stale (restored or
        // rebuilt database).
        if (error.state() != "23514" && error.state() != "42P01") throw;
        catalog_.forget();
        return attempt(connection, batch);
    }
}

Ingested IngestWriter::attempt(Connection& connection, const frontend::Batch& batch) {
    using frontend::StoreOutcome;
    const auto concentrator = catalog_.concentrator(connection, batch.concentrator);
    if (!concentrator)
        throw DatabaseError(Trouble::refused, "",
                            "while storing a batch: the concentrator is not registered");
    auto pending = pending_batch(connection, catalog_, *concentrator, batch);
    catalog_.need_days(connection, pending.days);

    Ingested total;
    Cursors cursors{connection};
    Transaction transaction{connection};
    const auto advanced =
        cursors.advance(concentrator->id, batch.journal, batch.epoch, batch.from, batch.to, batch.received);
    if (advanced.outcome != Advance::advanced) {
        total.outcome = advanced.outcome == Advance::superseded ? StoreOutcome::superseded
                        : advanced.outcome == Advance::already  ? StoreOutcome::stored
                                                                : StoreOutcome::lost_race;
        if (advanced.outcome != Advance::superseded) count_race(cursors, batch, advanced, total);
        transaction.commit();
        return total;
    }
    put_rows(connection, catalog_, advanced.journal_row, pending, batch.received, total);
    put_events(connection, advanced.journal_row, *concentrator, batch, pending.rejected);
    settle_leases(connection, *concentrator, batch);
    tell_firmware(connection, *concentrator, batch);
    put_rejected(connection, advanced.journal_row, *concentrator, pending.rejected, batch.received);
    mark_dirty(connection, pending.rows, batch.received);
    tell_readings(connection, pending.rows);
    total.rejected = static_cast<int>(pending.rejected.size());
    total.entries_replayed = std::max(total.entries_replayed, static_cast<int>(batch.replayed));
    // What came, not how far the cursor moved: entries may have been lost before, and the journal of a meter
    // that calls in counts intervals.
    const std::size_t entries = batch.intervals.size() + batch.events.size() + batch.rejected.size();
    cursors.count(advanced.journal_row, static_cast<std::int64_t>(entries), total.entries_replayed,
                  total.rows_new, total.rows_duplicate);
    transaction.commit();
    for (const auto& row : pending.rows) catalog_.raise(row.meter, row.bank, row.at);
    total.outcome = StoreOutcome::stored;
    return total;
}

}  // namespace wattmesh::headend::database
