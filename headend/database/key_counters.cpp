#include "headend/database/key_counters.h"

#include <algorithm>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr long long counter_max = 4'294'967'295, jump = 1 << 20;
constexpr std::int64_t floor_origin_s = 1'704'067'200;  // 2024-01-01

/// On average one value each second is more than any meter gets, so a time that has passed is a bound of what
/// was used.
long long floor_at(Instant now) {
    return std::clamp<long long>(epoch_us(now) / 1'000'000 - floor_origin_s, 0, counter_max / 2);
}

}  // namespace

void KeyCounters::jump_after_restore() {
    connection_.run("comparing the database server's identity", [&](soci::session& sql) {
        long long identifier = 0;
        int timeline = 0, known = 0;
        sql << "select s.system_identifier, c.timeline_id from pg_control_system() s, "
               "pg_control_checkpoint() c",
            soci::into(identifier), soci::into(timeline);
        sql << "select count(*)::int from server_identity where system_identifier = :identifier and timeline "
               "= :timeline",
            use(identifier), use(timeline), soci::into(known);
        if (known == 1) return;
        // The row is the lock: of two processes that see the same restore only the first jumps.
        soci::statement st =
            (sql.prepare
                 << "insert into server_identity as old (system_identifier, timeline) values (:identifier, "
                    ":timeline) "
                    "on conflict (only_row) do update set system_identifier = excluded.system_identifier, "
                    "timeline = excluded.timeline where (old.system_identifier, old.timeline) <> "
                    "(excluded.system_identifier, excluded.timeline)",
             use(identifier), use(timeline));
        st.execute(true);
        if (st.get_affected_rows() == 0) return;
        sql << "update key_counter set reserved = least(reserved + :jump, :most)", use(jump),
            use(counter_max);
    });
}

std::optional<CounterBlock> KeyCounters::reserve(MeterId meter, KeyPurpose purpose, std::uint32_t count,
                                                 Instant now) {
    Transaction transaction{connection_};
    jump_after_restore();
    const auto block = connection_.run(
        "reserving invocation counters", [&](soci::session& sql) -> std::optional<CounterBlock> {
            const auto name = to_string(purpose);
            const long long size = count, floor = floor_at(now), highest = counter_max - size;
            long long last = 0, received = 0;
            int generation = 0;
            sql << "insert into key_counter as old (meter, purpose, reserved, received) values (:meter, "
                   ":purpose, cast(:floor as bigint) + cast(:size as bigint), -1) "
                   "on conflict (meter, purpose) do update set reserved = greatest(old.reserved, :floor2) + "
                   ":size2 "
                   "where greatest(old.reserved, :floor3) <= :highest returning reserved, received, "
                   "generation",
                use(meter), use(name), use(floor), use(size), use(floor), use(size), use(floor), use(highest),
                soci::into(last), soci::into(received), soci::into(generation);
            if (!sql.got_data()) return std::nullopt;
            return CounterBlock{static_cast<std::uint32_t>(last - size + 1), static_cast<std::uint32_t>(last),
                                received, generation};
        });
    transaction.commit();
    return block;
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
