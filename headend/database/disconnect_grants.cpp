#include "headend/database/disconnect_grants.h"

#include <optional>

#include "headend/database/audit_log.h"
#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

bool DisconnectGrants::acquire(MeterId meter, DeviceNumber number, const std::string& actor, int operations,
                               int cap, Instant now) {
    Transaction transaction{connection_};
    bool granted = false, alarm = false;
    connection_.run("granting disconnects", [&](soci::session& sql) {
        const Instant hour_ago = now - std::chrono::hours{1};
        std::optional<Instant> alarmed;
        sql << "select alarmed_us from disconnect_cap for update", soci::into(alarmed);
        // What lies in the future was granted before somebody put the clock back: it counts.
        long long used = 0;
        sql << "select coalesce(sum(operations), 0)::bigint from disconnect_grant where at_us > :since",
            use(hour_ago), soci::into(used);
        granted = used + operations <= cap;
        if (granted) {
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
            {now, actor, "alarm", to_string(number),
             "disconnects refused: more than " + std::to_string(cap) + " within an hour were asked for"});
    transaction.commit();
    return granted;
}

}  // namespace wattmesh::headend::database
