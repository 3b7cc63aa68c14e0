#include "headend/database/cursors.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

Sequence Cursors::find(ConcentratorId concentrator, const JournalId& journal) {
    return connection_.run("finding a journal's cursor", [&](soci::session& sql) {
        Sequence sequence;
        const auto name = bytea(journal);
        sql << "select sequence from journal_cursor where concentrator = :id and journal = :journal",
            use(concentrator), use(name), soci::into(sequence);
        return sql.got_data() ? sequence : Sequence{0};
    });
}

std::vector<Cursor> Cursors::of(ConcentratorId concentrator) {
    return connection_.run("listing cursors", [&](soci::session& sql) {
        std::vector<Cursor> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select journal, sequence, epoch, id, entries_stored, entries_replayed, rows_stored, "
                    "rows_duplicate from journal_cursor where concentrator = :id order by id",
             use(concentrator));
        for (const auto& row : rows) {
            Cursor cursor;
            const auto octets = from_bytea(row.get<std::string>(0));
            std::copy_n(octets.begin(), std::min(octets.size(), cursor.journal.octets.size()),
                        cursor.journal.octets.begin());
            cursor.sequence = row.get<Sequence>(1);
            cursor.epoch = row.get<OwnerEpoch>(2);
            cursor.journal_row = row.get<long long>(3);
            cursor.entries_stored = row.get<long long>(4);
            cursor.entries_replayed = row.get<long long>(5);
            cursor.rows_stored = row.get<long long>(6);
            cursor.rows_duplicate = row.get<long long>(7);
            found.push_back(cursor);
        }
        return found;
    });
}

Advanced Cursors::advance(ConcentratorId concentrator, const JournalId& journal, OwnerEpoch epoch,
                          Sequence from, Sequence to, Instant now) {
    return connection_.run("advancing a journal's cursor", [&](soci::session& sql) -> Advanced {
        // The share lock keeps a new log-in from taking the epoch before this transaction ends.
        OwnerEpoch newest;
        sql << "select owner_epoch from concentrator where id = :id for share", use(concentrator),
            soci::into(newest);
        if (!sql.got_data() || newest != epoch) return {Advance::superseded, 0, {}};

        const auto name = bytea(journal);
        sql << "insert into journal_cursor (concentrator, journal, first_us, advanced_us) values (:id, "
               ":journal, :now, :now2) "
               "on conflict (concentrator, journal) do nothing",
            use(concentrator), use(name), use(now), use(now);
        Sequence sequence;
        OwnerEpoch last;
        long long surrogate = 0;
        sql << "select sequence, epoch, id from journal_cursor where concentrator = :id and journal = "
               ":journal for update",
            use(concentrator), use(name), soci::into(sequence), soci::into(last), soci::into(surrogate);
        if (sequence == to && last == epoch && from != to) return {Advance::already, surrogate, sequence};
        if (sequence != from) return {Advance::lost_race, surrogate, sequence};
        sql << "update journal_cursor set sequence = :to, epoch = :epoch, advanced_us = :now where id = :id",
            use(to), use(epoch), use(now), use(surrogate);
        return {Advance::advanced, surrogate, from};
    });
}

void Cursors::count(std::int64_t journal_row, std::int64_t entries_stored, std::int64_t entries_replayed,
                    std::int64_t rows_stored, std::int64_t rows_duplicate) {
    connection_.run("counting what a journal brought", [&](soci::session& sql) {
        const long long stored = entries_stored, replayed = entries_replayed, rows = rows_stored,
                        again = rows_duplicate, id = journal_row;
        sql << "update journal_cursor set entries_stored = entries_stored + :a, entries_replayed = "
               "entries_replayed + :b, "
               "rows_stored = rows_stored + :c, rows_duplicate = rows_duplicate + :d where id = :id",
            use(stored), use(replayed), use(rows), use(again), use(id);
    });
}

}  // namespace wattmesh::headend::database
