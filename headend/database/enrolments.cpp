#include "headend/database/enrolments.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

void Enrolments::issue(ConcentratorId concentrator, const CodeHash& code, Instant now, Duration valid) {
    connection_.run("issuing an enrolment code", [&](soci::session& sql) {
        const auto hash = bytea(code);
        const Instant expires = now + valid;
        sql << "update enrolment set expires_us = :now where concentrator = :id and used_us is null and "
               "expires_us > :now2",
            use(now), use(concentrator), use(now);
        sql << "insert into enrolment (concentrator, code_hash, issued_us, expires_us) values (:id, :hash, "
               ":now, :expires)",
            use(concentrator), use(hash), use(now), use(expires);
    });
}

Redeemed Enrolments::redeem(DeviceNumber number, const CodeHash& code, Instant now) {
    return connection_.run("redeeming an enrolment code", [&](soci::session& sql) {
        const auto hash = bytea(code);
        // The update alone decides: of two at once the second waits for the first and then finds the code
        // used.
        soci::statement redeem =
            (sql.prepare
                 << "update enrolment e set used_us = :now from concentrator c where c.id = e.concentrator "
                    "and c.number = :number and c.state <> 2 and e.code_hash = :hash and e.used_us is null "
                    "and e.expires_us > :now2",
             use(now), use(number), use(hash), use(now));
        redeem.execute(true);
        if (redeem.get_affected_rows() == 1) return Redeemed::accepted;
        int used = 0;
        sql << "select (e.used_us is not null)::int from enrolment e join concentrator c on c.id = "
               "e.concentrator "
               "where c.number = :number and c.state <> 2 and e.code_hash = :hash",
            use(number), use(hash), soci::into(used);
        if (!sql.got_data()) return Redeemed::unknown;
        return used == 1 ? Redeemed::used : Redeemed::expired;
    });
}

}  // namespace wattmesh::headend::database
