#include "headend/database/ingest_merge.h"

#include <algorithm>

#include "headend/database/bindings.h"
#include "headend/database/copy_in.h"

namespace wattmesh::headend::database {
namespace {

constexpr int column_count = 17;
constexpr const char* merge_columns =
    "(meter, at_us, journal, sequence, quality, tenant, area, bank, status, v1, v2, v3, v4, v5, v6, v7, v8)";
constexpr const char* unique_violation = "23505";

void copy_rows(Connection& connection, const std::string& table, std::int64_t journal_row,
               std::span<const PendingRow* const> rows) {
    CopyIn copy{connection, table + " " + merge_columns};
    for (const auto* row : rows) {
        copy.row(column_count);
        copy.i64(row->meter.value);
        copy.i64(epoch_us(row->at));
        copy.i64(journal_row);
        copy.i64(static_cast<std::int64_t>(row->sequence.value));
        copy.i64(row->quality);
        copy.i32(row->tenant.value);
        copy.i32(row->area.value);
        copy.i16(row->bank);
        copy.i16(row->status);
        for (const auto& value : row->values) copy.i64(value);
    }
    copy.finish();
}

/// Joins the staged rows (s) to the stored ones (r). The bounds are literals, so that the planner sees which
/// days it needs.
std::string overlap(std::span<const PendingRow* const> rows) {
    const auto [low, high] = std::minmax_element(rows.begin(), rows.end(),
                                                 [](const auto* a, const auto* b) { return a->at < b->at; });
    return " s.meter = r.meter and s.bank = r.bank and s.at_us = r.at_us and r.at_us between " +
           std::to_string(epoch_us((*low)->at)) + " and " + std::to_string(epoch_us((*high)->at));
}

/// `text` once per channel with # replaced by its number and @ by its shift, joined.
std::string per_channel(const std::string& text, const std::string& join) {
    std::string out;
    for (int channel = 1; channel <= 8; ++channel) {
        if (channel > 1) out += join;
        for (const char c : text) {
            if (c == '#')
                out += std::to_string(channel);
            else if (c == '@')
                out += std::to_string(8 * (channel - 1));
            else
                out += c;
        }
    }
    return out;
}

std::string keep_conflicts(std::span<const PendingRow* const> rows) {
    return "insert into reading_conflict (meter, bank, at_us, channel, stored_value, stored_journal, "
           "stored_sequence, value, "
           "journal, sequence, tenant, area, received_us) "
           "select r.meter, r.bank, r.at_us, c.channel, c.stored, r.journal, r.sequence, c.value, s.journal, "
           "s.sequence, "
           "r.tenant, r.area, :received from ingest_staging s join interval_row r on" +
           overlap(rows) + " cross join lateral (values " + per_channel("(#, r.v#, s.v#)", ", ") +
           ") as c(channel, stored, value) where c.stored <> c.value on conflict do nothing";
}

std::string fill_nulls(std::span<const PendingRow* const> rows) {
    const std::string missing = "(r.v# is null and s.v# is not null)";
    return "update interval_row r set " + per_channel("v# = coalesce(r.v#, s.v#)", ", ") +
           ", quality = r.quality | " +
           per_channel("case when " + missing + " then ((s.quality >> @ & 255) | 4) << @ else 0 end", " | ") +
           " from ingest_staging s where" + overlap(rows) + " and (" + per_channel(missing, " or ") + ")";
}

int affected(soci::session& sql, const std::string& statement) {
    soci::statement st = (sql.prepare << statement);
    st.execute(true);
    return static_cast<int>(st.get_affected_rows());
}

}  // namespace

bool copy_new_rows(Connection& connection, std::int64_t journal_row,
                   std::span<const PendingRow* const> rows) {
    connection.execute("savepoint new_rows", "setting a savepoint");
    try {
        copy_rows(connection, "interval_row", journal_row, rows);
    } catch (const DatabaseError& error) {
        if (error.state() != unique_violation) throw;
        connection.execute("rollback to savepoint new_rows", "returning to a savepoint");
        return false;
    }
    connection.execute("release savepoint new_rows", "releasing a savepoint");
    return true;
}

Merged merge_rows(Connection& connection, std::int64_t journal_row, std::span<const PendingRow* const> rows,
                  Instant received) {
    Merged merged;
    if (rows.empty()) return merged;
    connection.execute(
        "create temp table if not exists ingest_staging (like wattmesh.interval_row) on commit delete rows; "
        "delete from ingest_staging",
        "preparing the staging table");
    copy_rows(connection, "ingest_staging", journal_row, rows);
    connection.run("merging rows", [&](soci::session& sql) {
        merged.rows_new = affected(
            sql,
            "with fresh as (insert into interval_row select * from ingest_staging order by meter, bank, "
            "at_us "
            "on conflict do nothing returning meter, bank, at_us) delete from ingest_staging s using fresh f "
            "where s.meter = f.meter and s.bank = f.bank and s.at_us = f.at_us");
        merged.rows_overlapping = static_cast<int>(rows.size()) - merged.rows_new;
        if (merged.rows_overlapping == 0) return;
        // In key order, so that two writers with the same rows wait for each other instead of locking each
        // other out.
        sql << "select count(*) from (select 1 from interval_row r join ingest_staging s on" + overlap(rows) +
                   " order by r.meter, r.bank, r.at_us for update of r) locked";
        soci::statement keep = (sql.prepare << keep_conflicts(rows), use(received));
        keep.execute(true);
        merged.values_conflicting = static_cast<int>(keep.get_affected_rows());
        merged.rows_filled = affected(sql, fill_nulls(rows));
        const soci::rowset<soci::row> counts =
            (sql.prepare << "select sequence, count(*) from ingest_staging group by sequence");
        for (const auto& row : counts)
            merged.overlapping[row.get<Sequence>(0)] += static_cast<int>(row.get<long long>(1));
    });
    return merged;
}

}  // namespace wattmesh::headend::database
