#include "concentrator/journal/entry_table.h"

#include "concentrator/journal/sql.h"

namespace wattmesh::concentrator {

void EntryTable::create(soci::session& sql) {
    sql << "create table if not exists journal (ordinal integer primary key, id text not null unique, "
           "first integer not null, last integer not null, acknowledged integer not null)";
    sql << "create table if not exists entry (journal integer not null references journal(ordinal), "
           "sequence integer not null, meter text not null, kind integer not null, time integer not null, "
           "doubtful integer not null, payload blob, primary key (journal, sequence)) without rowid";
}

std::vector<EntryTable::Row> EntryTable::journals() {
    std::vector<Row> rows;
    long long ordinal = 0, first = 0, last = 0, acknowledged = 0;
    std::string id;
    soci::statement st =
        (sql_.prepare << "select ordinal, id, first, last, acknowledged from journal order by ordinal",
         soci::into(ordinal), soci::into(id), soci::into(first), soci::into(last), soci::into(acknowledged));
    st.execute();
    while (st.fetch()) {
        rows.push_back({ordinal, JournalId{sql::octets<16>(id)}, Sequence{static_cast<std::uint64_t>(first)},
                        Sequence{static_cast<std::uint64_t>(last)},
                        Sequence{static_cast<std::uint64_t>(acknowledged)}});
    }
    return rows;
}

EntryTable::Row EntryTable::begin(JournalId id) {
    Row row;
    row.id = id;
    const std::string text = sql::text(id);
    sql_ << "select coalesce(max(ordinal), 0) + 1 from journal", soci::into(row.ordinal);
    sql_ << "insert into journal (ordinal, id, first, last, acknowledged) values (:ordinal, :id, 1, 0, 0)",
        soci::use(row.ordinal, "ordinal"), soci::use(text, "id");
    return row;
}

void EntryTable::update(const Row& row) {
    const long long first = sql::integer(row.first.value), last = sql::integer(row.last.value),
                    acknowledged = sql::integer(row.acknowledged.value);
    sql_ << "update journal set first = :first, last = :last, acknowledged = :acknowledged where ordinal = "
            ":ordinal",
        soci::use(first, "first"), soci::use(last, "last"), soci::use(acknowledged, "acknowledged"),
        soci::use(row.ordinal, "ordinal");
}

void EntryTable::drop(long long ordinal) {
    sql_ << "delete from journal where ordinal = :ordinal", soci::use(ordinal, "ordinal");
}

void EntryTable::insert(long long ordinal, const dcu::Entry& entry) {
    const long long sequence = sql::integer(entry.sequence.value), time = sql::integer(entry.time);
    const std::string meter = sql::text(entry.meter);
    const int kind = static_cast<int>(entry.kind), doubtful = entry.clock_doubtful ? 1 : 0;
    soci::blob payload(sql_);
    sql::fill(payload, entry.payload);
    sql_ << "insert into entry (journal, sequence, meter, kind, time, doubtful, payload) "
            "values (:journal, :sequence, :meter, :kind, :time, :doubtful, :payload)",
        soci::use(ordinal, "journal"), soci::use(sequence, "sequence"), soci::use(meter, "meter"),
        soci::use(kind, "kind"), soci::use(time, "time"), soci::use(doubtful, "doubtful"),
        soci::use(payload, "payload");
}

std::vector<dcu::Entry> EntryTable::select(long long ordinal, Sequence after, std::uint32_t count,
                                           std::size_t octets_max) {
    std::vector<dcu::Entry> entries;
    const long long from = sql::integer(after.value), limit = count;
    long long sequence = 0, time = 0;
    std::string meter;
    int kind = 0, doubtful = 0;
    soci::blob payload(sql_);
    soci::indicator present = soci::i_null;
    soci::statement st =
        (sql_.prepare << "select sequence, meter, kind, time, doubtful, payload from entry "
                         "where journal = :journal and sequence > :after order by sequence limit :count",
         soci::use(ordinal, "journal"), soci::use(from, "after"), soci::use(limit, "count"),
         soci::into(sequence), soci::into(meter), soci::into(kind), soci::into(time), soci::into(doubtful),
         soci::into(payload, present));
    st.execute();
    std::size_t octets = 0;
    while (st.fetch()) {
        dcu::Entry entry{.sequence = Sequence{static_cast<std::uint64_t>(sequence)},
                         .meter = sql::device_number(meter),
                         .kind = static_cast<dcu::EntryKind>(kind),
                         .time = from_epoch_us(time),
                         .clock_doubtful = doubtful != 0,
                         .payload = sql::content(payload, present)};
        octets += entry.payload.size();
        if (!entries.empty() && octets > octets_max) break;
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::uint64_t EntryTable::remove(long long ordinal, Sequence last) {
    const long long to = sql::integer(last.value);
    soci::statement st = (sql_.prepare << "delete from entry where journal = :journal and sequence <= :last",
                          soci::use(ordinal, "journal"), soci::use(to, "last"));
    st.execute(true);
    return static_cast<std::uint64_t>(st.get_affected_rows());
}

// The time of a doubtful entry is a guess, mostly too early: it is as old as the next trusted one.
Sequence EntryTable::last_older(long long ordinal, Sequence first, Sequence acknowledged, Instant before) {
    const long long to = sql::integer(acknowledged.value), limit = sql::integer(before);
    long long older = sql::integer(first.value) - 1;
    soci::indicator present = soci::i_null;
    sql_
        << "select max(sequence) from entry where journal = :journal and doubtful = 0 and time < :before and "
           "sequence < coalesce((select min(sequence) from entry where journal = :journal and doubtful = 0 "
           "and "
           "time >= :before), :last + 1) and sequence <= :last",
        soci::use(ordinal, "journal"), soci::use(limit, "before"), soci::use(to, "last"),
        soci::into(older, present);
    if (present != soci::i_ok) return Sequence{first.value - 1};
    return Sequence{static_cast<std::uint64_t>(older)};
}

std::optional<Instant> EntryTable::newest_time(long long ordinal) {
    long long time = 0;
    sql_ << "select time from entry where journal = :journal order by sequence desc limit 1",
        soci::use(ordinal, "journal"), soci::into(time);
    if (!sql_.got_data()) return std::nullopt;
    return from_epoch_us(time);
}

std::uint64_t EntryTable::count() {
    long long count = 0;
    sql_ << "select count(*) from entry", soci::into(count);
    return static_cast<std::uint64_t>(count);
}

}  // namespace wattmesh::concentrator
