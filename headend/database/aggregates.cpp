#include "headend/database/aggregates.h"

#include <exception>

#include "headend/database/bindings.h"
#include "headend/database/ingest_rows.h"

namespace wattmesh::headend::database {
namespace {

struct DirtyMark {
    int bank = 0, day = 0;
    long long concentrator = 0, mark = 0;
    Instant came{};  ///< the first batch that marked it
};

std::vector<DirtyMark> dirty_marks(Connection& connection, int count_max, Instant before) {
    return connection.run("listing dirty days", [&](soci::session& sql) {
        std::vector<DirtyMark> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select bank, day, concentrator, mark, marked_us from dirty_day where marked_us "
                            "<= :before "
                            "order by marked_us limit :most",
             use(before), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0), row.get<int>(1), row.get<long long>(2), row.get<long long>(3),
                             row.get<Instant>(4)});
        return found;
    });
}

/// A mark that the schema made for what was there before says nothing about when that came.
Instant came_of(const DirtyMark& dirty, Instant now) { return epoch_us(dirty.came) == 0 ? now : dirty.came; }

void recompute_completeness(soci::session& sql, const DirtyMark& dirty, Instant now) {
    const Instant due = now - due_after, came = came_of(dirty, now);
    const int before = dirty.day - 1;
    // The midnight that ends the day before is a row of this one: counted again where something was missing.
    sql << "select recompute_completeness(cast(:bank as smallint), d.day, :concentrator, :due, :came) from "
           "bank b, (select cast(:day as integer) as day union all select distinct k.day from "
           "completeness_cell k where k.concentrator = :concentrator and k.bank = :bank and k.day = :before "
           "and k.received < k.expected) d where b.id = :bank and b.kind = 'interval'",
        soci::use(dirty.bank, "bank"), soci::use(dirty.concentrator, "concentrator"), soci::use(due, "due"),
        soci::use(came, "came"), soci::use(dirty.day, "day"), soci::use(before, "before");
}

/// False when another worker has this day.
bool recompute(Connection& connection, const DirtyMark& dirty, Instant now) {
    Transaction transaction{connection};
    const bool mine = connection.run("recomputing aggregates", [&](soci::session& sql) {
        int locked = 0;
        sql << "select pg_try_advisory_xact_lock(1464683605, hashtext(concat_ws('/', cast(:bank as integer), "
               "cast(:day as integer), cast(:concentrator as bigint))))::int",
            use(dirty.bank), use(dirty.day), use(dirty.concentrator), soci::into(locked);
        if (locked == 0) return false;
        sql << "select recompute_day(cast(:bank as smallint), :day, :concentrator)", use(dirty.bank),
            use(dirty.day), use(dirty.concentrator);
        recompute_completeness(sql, dirty, now);
        // An ingest that came meanwhile has raised the mark: then it stays and the day is computed again.
        sql << "delete from dirty_day where bank = :bank and day = :day and concentrator = :concentrator and "
               "mark = :mark",
            use(dirty.bank), use(dirty.day), use(dirty.concentrator), use(dirty.mark);
        return true;
    });
    transaction.commit();
    return mine;
}

}  // namespace

int Aggregates::work(int count_max, Instant now, Duration settle) {
    int done = 0;
    std::exception_ptr failure;
    for (const auto& dirty : dirty_marks(connection_, count_max, now - settle)) {
        try {
            done += recompute(connection_, dirty, now) ? 1 : 0;
        } catch (const DatabaseError& error) {
            if (error.trouble() == Trouble::unavailable) throw;
            failure = std::current_exception();  // one bad day must not keep the others
        }
    }
    if (failure) std::rethrow_exception(failure);
    return done;
}

int Aggregates::count_open_days(int count_max, Instant now, Duration every) {
    constexpr int days = 4;
    const Instant due = now - due_after, counted = due - every;
    const int last = utc_day(due), first = last - days + 1;
    const auto open = connection_.run("listing open days", [&](soci::session& sql) {
        std::vector<DirtyMark> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select b.id, d.day, c.id from bank b, generate_series(cast(:first as integer), "
                    "cast(:last as integer)) d(day), concentrator c left join lateral (select "
                    "min(k.due_us) as due_us from completeness_cell k where k.concentrator = c.id and "
                    "k.bank = b.id and k.day = d.day) k on true where b.kind = 'interval' and exists "
                    "(select from meter m where m.concentrator = c.id) and coalesce(k.due_us, -1) < "
                    "least((d.day + 1) * 86400000000, cast(:counted as bigint)) "
                    "order by d.day desc, k.due_us nulls first limit :most",
             use(first), use(last), use(counted), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0), row.get<int>(1), row.get<long long>(2), 0, now});
        return found;
    });
    for (const auto& day : open) {
        Transaction transaction{connection_};
        connection_.run("counting an open day", [&](soci::session& sql) {
            sql << "select pg_advisory_xact_lock(1464683605, hashtext(concat_ws('/', cast(:bank as integer), "
                   "cast(:day as integer), cast(:concentrator as bigint))))",
                use(day.bank), use(day.day), use(day.concentrator);
            sql << "select recompute_completeness(cast(:bank as smallint), :day, :concentrator, :due, :came)",
                use(day.bank), use(day.day), use(day.concentrator), use(due), use(now);
        });
        transaction.commit();
    }
    return static_cast<int>(open.size());
}

AggregateLag Aggregates::lag() {
    return connection_.run("measuring the aggregates' lag", [&](soci::session& sql) {
        long long dirty = 0;
        std::optional<Instant> oldest;
        sql << "select count(*), min(marked_us) from dirty_day", soci::into(dirty), soci::into(oldest);
        return AggregateLag{dirty, oldest};
    });
}

void Aggregates::make_partitions(Instant now, int ahead) {
    for (int i = 0; i < ahead; ++i)
        connection_.run("making a day's partition", [&](soci::session& sql) {
            const int day = utc_day(now) + i;
            sql << "select make_interval_day(:day)", use(day);
        });
}

}  // namespace wattmesh::headend::database
