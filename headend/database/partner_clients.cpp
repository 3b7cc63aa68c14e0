#include "headend/database/partner_clients.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

PartnerClient client_of(const soci::row& row) {
    return {.id = row.get<PartnerClientId>(0),
            .contract = row.get<ContractId>(1),
            .name = row.get<std::string>(2),
            .secret_hash = row.get<std::string>(3),
            .created = row.get<Instant>(4),
            .created_by = row.get<std::string>(5),
            .locked_until = row.get<std::optional<Instant>>(6),
            .last_used = row.get<std::optional<Instant>>(7),
            .revoked = row.get<std::optional<Instant>>(8)};
}

constexpr const char* client_columns =
    "select id, contract, name, secret_hash, created_us, created_by, locked_until_us, last_used_us, "
    "revoked_us from partner_client ";

}  // namespace

void PartnerClients::add(const PartnerClient& client) {
    connection_.run("adding a partner's client", [&](soci::session& sql) {
        sql << "insert into partner_client (contract, name, secret_hash, created_us, created_by) values "
               "(:contract, :name, :hash, :now, :by)",
            use(client.contract), use(client.name), use(client.secret_hash), use(client.created),
            use(client.created_by);
    });
}

std::optional<PartnerClient> PartnerClients::find(const std::string& name) {
    return connection_.run(
        "finding a partner's client", [&](soci::session& sql) -> std::optional<PartnerClient> {
            const soci::rowset<soci::row> rows =
                (sql.prepare << std::string{client_columns} + "where name = :name", use(name));
            for (const auto& row : rows) return client_of(row);
            return std::nullopt;
        });
}

std::vector<PartnerClient> PartnerClients::all() {
    return connection_.run("listing partners' clients", [&](soci::session& sql) {
        std::vector<PartnerClient> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{client_columns} + "order by contract, id");
        for (const auto& row : rows) found.push_back(client_of(row));
        return found;
    });
}

bool PartnerClients::revoke(PartnerClientId client, Instant now) {
    return connection_.run("revoking a partner's client", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare
                 << "update partner_client set revoked_us = :now where id = :id and revoked_us is null",
             use(now), use(client));
        update.execute(true);
        if (update.get_affected_rows() != 1) return false;
        sql << "delete from partner_token where client = :id", use(client);
        return true;
    });
}

void PartnerClients::failed(PartnerClientId client, Instant locked_until) {
    connection_.run("noting a wrong secret", [&](soci::session& sql) {
        const int most = failures_max;
        sql << "update partner_client set failures = case when failures + 1 >= :most then 0 else failures + "
               "1 "
               "end, locked_until_us = case when failures + 1 >= :most then :until else locked_until_us end "
               "where id = :id",
            soci::use(most, "most"), soci::use(locked_until, "until"), soci::use(client, "id");
    });
}

void PartnerClients::open(PartnerClientId client, Bytes token_hash, Instant now, Instant expires) {
    connection_.run("opening a partner's session", [&](soci::session& sql) {
        const auto hash = bytea(token_hash);
        sql << "delete from partner_token where client = :id and expires_us <= :now", use(client), use(now);
        sql << "insert into partner_token (token_hash, client, issued_us, expires_us) values (:hash, :id, "
               ":now, :expires)",
            use(hash), use(client), use(now), use(expires);
        sql << "update partner_client set failures = 0, locked_until_us = null, last_used_us = :now where id "
               "= "
               ":id",
            use(now), use(client);
    });
}

std::optional<PartnerSession> PartnerClients::session(Bytes token_hash, Instant now) {
    ContractId contract;
    PartnerSession session;
    const bool known = connection_.run("finding a partner's session", [&](soci::session& sql) {
        const auto hash = bytea(token_hash);
        sql << "select c.contract, c.name from partner_token t join partner_client c on c.id = t.client "
               "where "
               "t.token_hash = :hash and t.expires_us > :now and c.revoked_us is null",
            use(hash), use(now), soci::into(contract), soci::into(session.client);
        return sql.got_data();
    });
    if (!known) return std::nullopt;
    auto found = Contracts{connection_}.find(contract);
    if (!found || found->disabled) return std::nullopt;
    session.contract = std::move(*found);
    return session;
}

}  // namespace wattmesh::headend::database
