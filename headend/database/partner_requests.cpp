#include "headend/database/partner_requests.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

bool PartnerRequests::take(ContractId contract, const std::string& key, Bytes digest, Instant now) {
    return connection_.run("taking an idempotency key", [&](soci::session& sql) {
        const auto octets = bytea(digest);
        soci::statement insert =
            (sql.prepare << "insert into partner_request (contract, key, digest, at_us) "
                            "values (:contract, :key, :digest, :now) on conflict do nothing",
             use(contract), use(key), use(octets), use(now));
        insert.execute(true);
        return insert.get_affected_rows() == 1;
    });
}

void PartnerRequests::store(ContractId contract, const std::string& key, const PartnerReply& reply) {
    connection_.run("storing an answer", [&](soci::session& sql) {
        sql << "update partner_request set status = :status, location = :location, body = :body where "
               "contract = "
               ":contract and key = :key",
            use(reply.status), use(reply.location), use(reply.body), use(contract), use(key);
    });
}

std::optional<PartnerReply> PartnerRequests::find(ContractId contract, const std::string& key) {
    return connection_.run("looking for an answer", [&](soci::session& sql) -> std::optional<PartnerReply> {
        PartnerReply reply;
        std::string digest;
        sql << "select digest, status::int, location, body from partner_request where contract = :contract "
               "and key "
               "= :key and status is not null",
            use(contract), use(key), soci::into(digest), soci::into(reply.status), soci::into(reply.location),
            soci::into(reply.body);
        if (!sql.got_data()) return std::nullopt;
        reply.digest = from_bytea(digest);
        return reply;
    });
}

int PartnerRequests::drop(Instant before) {
    return connection_.run("forgetting old answers", [&](soci::session& sql) {
        soci::statement drop =
            (sql.prepare << "delete from partner_request where at_us < :before", use(before));
        drop.execute(true);
        return static_cast<int>(drop.get_affected_rows());
    });
}

}  // namespace wattmesh::headend::database
