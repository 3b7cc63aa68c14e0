#include "headend/database/key_counters.h"

#include <algorithm>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr long long counter_max = KeyCounters::counter_max;
constexpr std::int64_t floor_origin_s = 1'704'067'200;  // 2024-01-01

/// On average one value each second is more than any meter gets, so a time that has passed is a bound of what
/// was used.
long long floor_at(Instant now) {
    return std::clamp<long long>(epoch_us(now) / 1'000'000 - floor_origin_s, 0, counter_max / 2);
}

void jump_all(soci::session& sql, std::uint32_t at_least) {
    long long before = 0;
    sql << "select raised from server_identity for update", soci::into(before);
    const long long raised =
        std::min(std::max<long long>(before + KeyCounters::jump_size, at_least), counter_max);
    const long long step = raised - before;
    sql << "update key_counter set reserved = least(reserved + :step, :most)", use(step), use(counter_max);
    sql << "update server_identity set raised = :raised", use(raised);
}

/// What another copy of this database has otherwise.
struct Identity {
    long long system = 0, database = 0, file = 0;
    int timeline = 0;
};
Identity identity_of(soci::session& sql) {
    Identity found;
    sql << "select s.system_identifier, c.timeline_id, d.oid::bigint, "
           "pg_relation_filenode('key_counter')::bigint from pg_control_system() s, pg_control_checkpoint() "
           "c, "
           "pg_database d where d.datname = current_database()",
        soci::into(found.system), soci::into(found.timeline), soci::into(found.database),
        soci::into(found.file);
    return found;
}

}  // namespace

void KeyCounters::jump_after_restore() {
    connection_.run("comparing the database's identity", [&](soci::session& sql) {
        const auto now = identity_of(sql);
        int known = 0;
        sql << "select count(*)::int from server_identity where (system_identifier, timeline, database_oid, "
               "counter_file) = (:system, :timeline, :database, :file)",
            use(now.system), use(now.timeline), use(now.database), use(now.file), soci::into(known);
        if (known == 1) return;
        // The row is the lock: of two processes that see the same restore only the first jumps.
        soci::statement st =
            (sql.prepare
                 << "insert into server_identity as old (system_identifier, timeline, database_oid, "
                    "counter_file) values (:system, :timeline, :database, :file) "
                    "on conflict (only_row) do update set system_identifier = excluded.system_identifier, "
                    "timeline = excluded.timeline, database_oid = excluded.database_oid, counter_file = "
                    "excluded.counter_file where (old.system_identifier, old.timeline, old.database_oid, "
                    "old.counter_file) is distinct from (excluded.system_identifier, excluded.timeline, "
                    "excluded.database_oid, excluded.counter_file)",
             use(now.system), use(now.timeline), use(now.database), use(now.file));
        st.execute(true);
        if (st.get_affected_rows() != 0) jump_all(sql, 0);
    });
}

void KeyCounters::jump(std::uint32_t raised, std::uint32_t reservation) {
    Transaction transaction{connection_};
    jump_after_restore();  // makes the row where there is none
    connection_.run("jumping over invocation counters", [&](soci::session& sql) {
        jump_all(sql, raised);
        const long long above = reservation;
        long long set = 0;
        sql << "select setval('counter_reservation', greatest(nextval('counter_reservation'), :above))",
            use(above), soci::into(set);
    });
    transaction.commit();
}

std::optional<CounterBlock> KeyCounters::reserve(MeterId meter, KeyPurpose purpose, std::uint32_t count,
                                                 Instant now) {
    Transaction transaction{connection_};
    jump_after_restore();
    const auto block = connection_.run(
        "reserving invocation counters", [&](soci::session& sql) -> std::optional<CounterBlock> {
            const auto name = to_string(purpose);
            long long last = 0, received = 0, raised = 0, reservation = 0;
            int generation = 0;
            sql << "select raised, nextval('counter_reservation') from server_identity", soci::into(raised),
                soci::into(reservation);
            const long long size = count, highest = counter_max - size, floor = floor_at(now) + raised;
            if (floor > highest) return std::nullopt;
            sql << "insert into key_counter as old (meter, purpose, reserved, received) values (:meter, "
                   ":purpose, cast(:floor as bigint) + cast(:size as bigint), -1) "
                   "on conflict (meter, purpose) do update set reserved = greatest(old.reserved, :floor2) + "
                   ":size2 "
                   "where greatest(old.reserved, :floor3) <= :highest returning reserved, received, "
                   "generation",
                use(meter), use(name), use(floor), use(size), use(floor), use(size), use(floor), use(highest),
                soci::into(last), soci::into(received), soci::into(generation);
            if (!sql.got_data()) return std::nullopt;
            return CounterBlock{static_cast<std::uint32_t>(last - size + 1),
                                static_cast<std::uint32_t>(last),
                                received,
                                generation,
                                static_cast<std::uint32_t>(reservation),
                                static_cast<std::uint32_t>(raised)};
        });
    transaction.commit();
    return block;
}

void KeyCounters::raise(MeterId meter, KeyPurpose purpose, std::uint32_t next) {
    if (next == 0) return;
    connection_.run("raising an invocation counter", [&](soci::session& sql) {
        const auto name = to_string(purpose);
        const long long last = next - 1;
        sql << "insert into key_counter as old (meter, purpose, reserved, received) values (:meter, "
               ":purpose, "
               ":last, -1) on conflict (meter, purpose) do update set reserved = greatest(old.reserved, "
               ":last2)",
            use(meter), use(name), use(last), use(last);
    });
}

void KeyCounters::received(MeterId meter, KeyPurpose purpose, std::uint32_t counter,
                           std::int32_t generation) {
    connection_.run("remembering a received counter", [&](soci::session& sql) {
        const auto name = to_string(purpose);
        const long long value = counter;
        sql << "update key_counter set received = greatest(received, :value) where meter = :meter and "
               "purpose = :purpose and generation = :generation",
            use(value), use(meter), use(name), use(generation);
    });
}

void KeyCounters::forget_received(MeterId meter) {
    connection_.run("forgetting received counters", [&](soci::session& sql) {
        sql << "update key_counter set received = -1, generation = generation + 1 where meter = :meter",
            use(meter);
    });
}

std::optional<std::int32_t> KeyCounters::generation(MeterId meter, KeyPurpose purpose) {
    return connection_.run(
        "looking at a key's generation", [&](soci::session& sql) -> std::optional<std::int32_t> {
            const auto name = to_string(purpose);
            int found = 0;
            sql << "select generation from key_counter where meter = :meter and purpose = :purpose",
                use(meter), use(name), soci::into(found);
            if (!sql.got_data()) return std::nullopt;
            return found;
        });
}

}  // namespace wattmesh::headend::database
