#include "headend/database/disconnect_grants.h"

#include "headend/database/audit_log.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

bool DisconnectGrants::acquire(MeterId meter, DeviceNumber number, const std::string& actor, int operations,
                               const DisconnectCaps& caps, Instant now) {
    Transaction transaction{connection_};
    std::string over;
    bool alarm = false;
    connection_.run("granting disconnects", [&](soci::session& sql) {
        const Instant hour_ago = now - std::chrono::hours{1};
        std::optional<Instant> alarmed;
        sql << "select alarmed_us from disconnect_cap for update", soci::into(alarmed);
        // What lies in the future was granted before somebody put the clock back: it counts.
        long long used = 0, on_feeder = 0;
        sql << "select coalesce(sum(operations), 0)::bigint from disconnect_grant where at_us > :since",
            use(hour_ago), soci::into(used);
        std::string feeder;
        sql << "select n.number, (select coalesce(sum(g.operations), 0)::bigint from disconnect_grant g join "
               "meter_feeder x on x.meter = g.meter where x.feeder = f.feeder and g.at_us > :since) from "
               "meter_feeder f join network_node n on n.id = f.feeder where f.meter = :meter",
            use(hour_ago), use(meter), soci::into(feeder), soci::into(on_feeder);
        if (used + operations > caps.total)
            over = "more than " + std::to_string(caps.total) + " within an hour";
        else if (!feeder.empty() && on_feeder + operations > caps.per_feeder)
            over = "more than " + std::to_string(caps.per_feeder) + " within an hour on feeder " + feeder;
        if (over.empty()) {
            sql << "insert into disconnect_grant (at_us, meter, actor, operations) values (:now, :meter, "
                   ":actor, "
                   ":operations)",
                use(now), use(meter), use(actor), use(operations);
        } else if (alarm = !alarmed || *alarmed <= hour_ago; alarm) {
            sql << "update disconnect_cap set alarmed_us = :now", use(now);
        }
    });
    if (alarm)
        AuditLog{connection_}.append(
            {now, actor, "alarm", to_string(number), "disconnects refused: " + over + " were asked for"});
    transaction.commit();
    return over.empty();
}

std::optional<Instant> DisconnectGrants::next_free(Instant now) {
    return connection_.run("looking for the oldest grant", [&](soci::session& sql) -> std::optional<Instant> {
        const Instant hour_ago = now - std::chrono::hours{1};
        std::optional<Instant> oldest;
        sql << "select min(at_us) from disconnect_grant where at_us > :since", use(hour_ago),
            soci::into(oldest);
        if (!oldest) return std::nullopt;
        return *oldest + std::chrono::hours{1};
    });
}

}  // namespace wattmesh::headend::database
