#include "headend/database/aggregates.h"

#include <exception>

#include "headend/database/bindings.h"
#include "headend/database/ingest_rows.h"

namespace wattmesh::headend::database {
namespace {

struct DirtyMark {
    int bank = 0, day = 0;
    long long concentrator = 0, mark = 0;
};

std::vector<DirtyMark> dirty_marks(Connection& connection, int count_max, Instant before) {
    return connection.run("listing dirty days", [&](soci::session& sql) {
        std::vector<DirtyMark> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select bank, day, concentrator, mark from dirty_day where marked_us <= :before "
                            "order by marked_us limit :most",
             use(before), use(count_max));
        for (const auto& row : rows)
            found.push_back({row.get<int>(0), row.get<int>(1), row.get<long long>(2), row.get<long long>(3)});
        return found;
    });
}

/// False when another worker has this day.
bool recompute(Connection& connection, const DirtyMark& dirty) {
    Transaction transaction{connection};
    const bool mine = connection.run("recomputing aggregates", [&](soci::session& sql) {
        int locked = 0;
        sql << "select pg_try_advisory_xact_lock(1464683605, hashtext(concat_ws('/', cast(:bank as integer), "
               "cast(:day as integer), cast(:concentrator as bigint))))::int",
            use(dirty.bank), use(dirty.day), use(dirty.concentrator), soci::into(locked);
        if (locked == 0) return false;
        sql << "select recompute_day(cast(:bank as smallint), :day, :concentrator)", use(dirty.bank),
            use(dirty.day), use(dirty.concentrator);
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
            done += recompute(connection_, dirty) ? 1 : 0;
        } catch (const DatabaseError& error) {
            if (error.trouble() == Trouble::unavailable) throw;
            failure = std::current_exception();  // one bad day must not keep the others
        }
    }
    if (failure) std::rethrow_exception(failure);
    return done;
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
