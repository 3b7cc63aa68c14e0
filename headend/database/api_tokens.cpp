#include "headend/database/api_tokens.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* token_columns =
    "select id, user_account, name, look_only::int, created_us, expires_us, last_used_us, revoked_us from "
    "api_token";

ApiToken token_of(const soci::row& row) {
    return {.id = row.get<TokenId>(0),
            .user = row.get<UserId>(1),
            .name = row.get<std::string>(2),
            .look_only = row.get<int>(3) != 0,
            .created = row.get<Instant>(4),
            .expires = row.get<Instant>(5),
            .last_used = row.get<std::optional<Instant>>(6),
            .revoked = row.get<std::optional<Instant>>(7)};
}

}  // namespace

TokenId ApiTokens::add(UserId user, const std::string& name, bool look_only, Bytes token_hash, Instant now,
                       Instant expires) {
    return connection_.run("storing a token", [&](soci::session& sql) {
        TokenId id;
        const auto hash = bytea(token_hash);
        const int looks = look_only ? 1 : 0;
        sql << "insert into api_token (user_account, name, token_hash, look_only, created_us, expires_us) "
               "values "
               "(:user, :name, :hash, cast(:looks as integer) = 1, :now, :expires) returning id",
            use(user), use(name), use(hash), use(looks), use(now), use(expires), soci::into(id);
        return id;
    });
}

std::optional<ApiToken> ApiTokens::use_of(Bytes token_hash, Instant now) {
    return connection_.run("finding a token", [&](soci::session& sql) -> std::optional<ApiToken> {
        const auto hash = bytea(token_hash);
        std::optional<ApiToken> found;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare << std::string{token_columns} +
                                    " where token_hash = :hash and revoked_us is null and expires_us > :now",
                 use(hash), use(now));
            for (const auto& row : rows) found = token_of(row);
        }
        if (found && (!found->last_used || now - *found->last_used >= std::chrono::minutes{1}))
            sql << "update api_token set last_used_us = :now where id = :id", use(now), use(found->id);
        return found;
    });
}

std::vector<ApiToken> ApiTokens::of(UserId user) {
    return connection_.run("listing tokens", [&](soci::session& sql) {
        std::vector<ApiToken> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{token_columns} + " where user_account = :user order by id desc",
             use(user));
        for (const auto& row : rows) found.push_back(token_of(row));
        return found;
    });
}

bool ApiTokens::revoke(UserId user, TokenId token, Instant now) {
    return connection_.run("revoking a token", [&](soci::session& sql) {
        soci::statement update =
            (sql.prepare
                 << "update api_token set revoked_us = :now where id = :id and user_account = :user and "
                    "revoked_us is null and expires_us > :now2",
             use(now), use(token), use(user), use(now));
        update.execute(true);
        return update.get_affected_rows() == 1;
    });
}

}  // namespace wattmesh::headend::database
