#include "headend/database/key_rotations.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* rotation_columns =
    "select r.id, m.number, r.kinds, r.actor, r.reason, r.attempts, r.finished_us, r.trouble, r.report ";

KeyRotationOrder order_of(const soci::row& row) {
    return {row.get<KeyRotationId>(0),
            row.get<DeviceNumber>(1),
            row.get<std::string>(2),
            row.get<std::string>(3),
            row.get<std::string>(4),
            row.get<int>(5),
            row.get<std::optional<Instant>>(6),
            row.get<std::string>(7),
            row.get<std::string>(8)};
}

}  // namespace

std::optional<KeyRotationId> KeyRotations::order(MeterId meter, const std::string& kinds,
                                                 const std::string& actor, const std::string& reason,
                                                 Instant now) {
    return connection_.run("ordering new keys", [&](soci::session& sql) -> std::optional<KeyRotationId> {
        KeyRotationId id;
        sql << "insert into key_rotation (meter, kinds, actor, reason, asked_us, next_us) values (:meter, "
               ":kinds, :actor, :reason, :now, :next) on conflict (meter) where finished_us is null do "
               "nothing returning id",
            use(meter), use(kinds), use(actor), use(reason), use(now), use(now), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

std::optional<KeyRotationOrder> KeyRotations::find(KeyRotationId id) {
    return connection_.run("looking at an order", [&](soci::session& sql) -> std::optional<KeyRotationOrder> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{rotation_columns} +
                                "from key_rotation r join meter m on m.id = r.meter where r.id = :id",
             use(id));
        for (const auto& row : rows) return order_of(row);
        return std::nullopt;
    });
}

std::vector<KeyRotationOrder> KeyRotations::claim(Instant now, Instant until, int count) {
    return connection_.run("claiming orders of new keys", [&](soci::session& sql) {
        std::vector<KeyRotationOrder> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "with r as (update key_rotation set next_us = :until where id in (select id from "
                            "key_rotation where finished_us is null and next_us <= :now order by next_us, id "
                            "limit :count for update skip locked) returning *) " +
                                std::string{rotation_columns} +
                                "from r join meter m on m.id = r.meter order by r.id",
             use(until), use(now), use(count));
        for (const auto& row : rows) found.push_back(order_of(row));
        return found;
    });
}

void KeyRotations::ended(KeyRotationId id, const std::string& kinds_left, const std::string& line) {
    connection_.run("noting a key's replacement", [&](soci::session& sql) {
        sql << "update key_rotation set kinds = :kinds, report = report || :line where id = :id",
            use(kinds_left), use(line), use(id);
    });
}

void KeyRotations::postpone(KeyRotationId id, Instant next, const std::string& trouble) {
    connection_.run("postponing an order of new keys", [&](soci::session& sql) {
        sql << "update key_rotation set attempts = attempts + 1, next_us = :next, trouble = :trouble where "
               "id = :id and finished_us is null",
            use(next), use(trouble), use(id);
    });
}

void KeyRotations::finish(KeyRotationId id, Instant now, const std::string& trouble) {
    connection_.run("finishing an order of new keys", [&](soci::session& sql) {
        sql << "update key_rotation set attempts = attempts + 1, finished_us = :now, trouble = :trouble "
               "where id = :id and finished_us is null",
            use(now), use(trouble), use(id);
    });
}

std::optional<Buffer> PendingKeys::find(MeterId meter, KeyPurpose purpose) {
    return connection_.run("finding a pending key", [&](soci::session& sql) -> std::optional<Buffer> {
        std::string sealed;
        const auto name = to_string(purpose);
        sql << "select sealed from meter_key_pending where meter = :meter and purpose = :purpose", use(meter),
            use(name), soci::into(sealed);
        if (!sql.got_data()) return std::nullopt;
        return from_bytea(sealed);
    });
}

void PendingKeys::put(MeterId meter, KeyPurpose purpose, Bytes sealed, Instant now) {
    connection_.run("storing a pending key", [&](soci::session& sql) {
        const auto name = to_string(purpose), octets = bytea(sealed);
        sql << "insert into meter_key_pending (meter, purpose, sealed, stored_us) values (:meter, :purpose, "
               ":sealed, :now) on conflict (meter, purpose) do update set sealed = excluded.sealed, "
               "stored_us = excluded.stored_us",
            use(meter), use(name), use(octets), use(now);
    });
}

bool PendingKeys::promote(MeterId meter, KeyPurpose purpose, Instant now) {
    return connection_.run("putting a new key in force", [&](soci::session& sql) {
        const auto name = to_string(purpose);
        int promoted = 0;
        sql << "select promote_key(:meter, :purpose, :now)::int", use(meter), use(name), use(now),
            soci::into(promoted);
        return promoted == 1;
    });
}

void PendingKeys::drop(MeterId meter, KeyPurpose purpose) {
    connection_.run("dropping a pending key", [&](soci::session& sql) {
        const auto name = to_string(purpose);
        sql << "delete from meter_key_pending where meter = :meter and purpose = :purpose", use(meter),
            use(name);
    });
}

}  // namespace wattmesh::headend::database
