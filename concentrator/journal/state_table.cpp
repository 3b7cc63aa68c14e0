#include "concentrator/journal/state_table.h"

#include <algorithm>
#include <limits>

#include "concentrator/journal/sql.h"

namespace wattmesh::concentrator {

void StateTable::create(soci::session& sql) {
    sql << "create table if not exists position (meter text not null, profile text not null, at integer not "
           "null, "
           "primary key (meter, profile)) without rowid";
    // autoincrement: an id is not used again after its range is done, so a late change cannot hit another
    // range
    sql << "create table if not exists range (id integer primary key autoincrement, meter text not null, "
           "profile text not null, first integer not null, last integer not null)";
    sql << "create table if not exists object (code text primary key, version integer not null, raw blob) "
           "without rowid";
    sql << "create table if not exists counter (meter text primary key, key_check text not null, "
           "reserved integer not null, received integer not null) without rowid";
    sql << "create table if not exists state (name text primary key, value blob) without rowid";
}

std::vector<ReadPosition> StateTable::positions() {
    std::vector<ReadPosition> out;
    std::string meter, profile;
    long long at = 0;
    soci::statement st = (sql_.prepare << "select meter, profile, at from position order by meter, profile",
                          soci::into(meter), soci::into(profile), soci::into(at));
    st.execute();
    while (st.fetch()) out.push_back({sql::device_number(meter), sql::obis_code(profile), from_epoch_us(at)});
    return out;
}

void StateTable::put(const ReadPosition& position) {
    const std::string meter = sql::text(position.meter), profile = sql::text(position.profile);
    const long long at = sql::integer(position.at);
    sql_ << "insert into position (meter, profile, at) values (:meter, :profile, :at) "
            "on conflict (meter, profile) do update set at = excluded.at",
        soci::use(meter, "meter"), soci::use(profile, "profile"), soci::use(at, "at");
}

std::vector<PendingRange> StateTable::ranges() {
    std::vector<PendingRange> out;
    std::string meter, profile;
    long long id = 0, from = 0, to = 0;
    soci::statement st =
        (sql_.prepare << "select id, meter, profile, first, last from range order by id", soci::into(id),
         soci::into(meter), soci::into(profile), soci::into(from), soci::into(to));
    st.execute();
    while (st.fetch()) {
        out.push_back({static_cast<std::uint64_t>(id), sql::device_number(meter), sql::obis_code(profile),
                       from_epoch_us(from), from_epoch_us(to)});
    }
    return out;
}

std::uint64_t StateTable::range_id_last() {
    long long id = 0;
    sql_ << "select coalesce((select seq from sqlite_sequence where name = 'range'), 0)", soci::into(id);
    return static_cast<std::uint64_t>(id);
}

void StateTable::put(const PendingRange& range) {
    const std::string meter = sql::text(range.meter), profile = sql::text(range.profile);
    const long long id = sql::integer(range.id), from = sql::integer(range.from), to = sql::integer(range.to);
    sql_ << "insert into range (id, meter, profile, first, last) values (:id, :meter, :profile, :first, "
            ":last) "
            "on conflict (id) do update set first = excluded.first, last = excluded.last",
        soci::use(id, "id"), soci::use(meter, "meter"), soci::use(profile, "profile"),
        soci::use(from, "first"), soci::use(to, "last");
}

void StateTable::remove_range(std::uint64_t id) {
    const long long row = sql::integer(id);
    sql_ << "delete from range where id = :id", soci::use(row, "id");
}

std::vector<StoredObject> StateTable::objects() {
    std::vector<StoredObject> out;
    std::string code;
    long long version = 0;
    soci::blob raw(sql_);
    soci::indicator present = soci::i_null;
    soci::statement st = (sql_.prepare << "select code, version, raw from object order by code",
                          soci::into(code), soci::into(version), soci::into(raw, present));
    st.execute();
    while (st.fetch()) {
        out.push_back(
            {sql::obis_code(code), static_cast<std::uint32_t>(version), sql::content(raw, present)});
    }
    return out;
}

void StateTable::put(const StoredObject& object) {
    const std::string code = sql::text(object.code);
    const long long version = object.version;
    soci::blob raw(sql_);
    sql::fill(raw, object.raw);
    sql_ << "insert into object (code, version, raw) values (:code, :version, :raw) "
            "on conflict (code) do update set version = excluded.version, raw = excluded.raw",
        soci::use(code, "code"), soci::use(version, "version"), soci::use(raw, "raw");
}

CounterBlock StateTable::reserve(const CounterRequest& request, std::uint32_t block) {
    const std::string meter = sql::text(request.meter), key_check = sql::text(request.key_check);
    std::string stored;
    long long reserved = 0, received = 0;
    sql_ << "select key_check, reserved, received from counter where meter = :meter",
        soci::use(meter, "meter"), soci::into(stored), soci::into(reserved), soci::into(received);
    if (!sql_.got_data()) {
        reserved = received = 0;
    } else if (stored != key_check) {
        // What was heard under the old key says nothing of the new one. What was sent goes on, which is right
        // under any key: the old one may come back. Only a counter that is used up begins anew.
        received = 0;
        if (reserved == std::numeric_limits<std::uint32_t>::max()) reserved = 0;
    }
    // 0 is left out: a receiver that starts at "nothing accepted yet = 0" would take it for a replay
    const long long first = std::max({reserved, static_cast<long long>(request.floor), 1LL});
    const long long limit =
        std::min(first + block, static_cast<long long>(std::numeric_limits<std::uint32_t>::max()));
    sql_ << "insert into counter (meter, key_check, reserved, received) values (:meter, :key_check, "
            ":reserved, :received) "
            "on conflict (meter) do update set key_check = excluded.key_check, reserved = excluded.reserved, "
            "received = excluded.received",
        soci::use(meter, "meter"), soci::use(key_check, "key_check"), soci::use(limit, "reserved"),
        soci::use(received, "received");
    return {request.meter, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(limit),
            static_cast<std::uint32_t>(received)};
}

void StateTable::put(const ReceivedCounter& counter) {
    const std::string meter = sql::text(counter.meter);
    const long long value = counter.value;
    sql_ << "update counter set received = max(received, :value) where meter = :meter",
        soci::use(value, "value"), soci::use(meter, "meter");
}

Buffer StateTable::mesh_state() {
    soci::blob value(sql_);
    soci::indicator present = soci::i_null;
    sql_ << "select value from state where name = 'mesh'", soci::into(value, present);
    return sql_.got_data() ? sql::content(value, present) : Buffer{};
}

void StateTable::put_mesh_state(const Buffer& state) {
    soci::blob value(sql_);
    sql::fill(value, state);
    sql_ << "insert into state (name, value) values ('mesh', :value) "
            "on conflict (name) do update set value = excluded.value",
        soci::use(value, "value");
}

}  // namespace wattmesh::concentrator
