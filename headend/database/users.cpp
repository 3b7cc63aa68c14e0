#include "headend/database/users.h"

#include <algorithm>

#include "headend/database/bindings.h"
#include "headend/database/own_password.h"

namespace wattmesh::headend::database {
namespace {

constexpr int failures_max = 5;
constexpr const char* user_columns =
    "select id, tenant, login, name, password_hash, disabled::int, failures, locked_until_us, last_login_us "
    "from user_account";

User user_of(const soci::row& row) {
    return {.id = row.get<UserId>(0),
            .tenant = row.get<TenantId>(1),
            .login = row.get<std::string>(2),
            .name = row.get<std::string>(3),
            .grants = {},
            .password_hash = row.get<std::string>(4),
            .disabled = row.get<int>(5) != 0,
            .failures = row.get<int>(6),
            .locked_until = row.get<std::optional<Instant>>(7),
            .last_login = row.get<std::optional<Instant>>(8)};
}

std::optional<User> first_of(const soci::rowset<soci::row>& rows) {
    for (const auto& row : rows) return user_of(row);
    return std::nullopt;
}

}  // namespace

bool User::may(Right right) const {
    return std::any_of(grants.begin(), grants.end(),
                       [&](const Grant& grant) { return has(grant.role, right); });
}

Scope User::scope(Right right) const {
    std::vector<AreaId> areas;
    for (const auto& grant : grants) {
        if (!has(grant.role, right)) continue;
        if (!grant.area) return Scope::of(tenant);
        areas.push_back(*grant.area);
    }
    return areas.empty() ? Scope::nothing() : Scope::of(tenant, areas);
}

std::string to_string(const std::vector<Grant>& grants) {
    std::string text;
    for (const auto& grant : grants) {
        text += (text.empty() ? "" : ", ") + std::string{to_string(grant.role)};
        if (grant.area) text += " in area " + std::to_string(grant.area->value);
    }
    return text.empty() ? "nothing" : text;
}

UserId Users::put(TenantId tenant, const std::string& login, const std::string& name,
                  const std::vector<Grant>& grants, const std::string& password_hash, Instant now) {
    const auto id = connection_.run("storing a user", [&](soci::session& sql) {
        UserId user;
        sql << "insert into user_account (tenant, login, name, password_hash, created_us) "
               "values (:tenant, :login, :name, :hash, :now) on conflict (login) do update "
               "set name = excluded.name, password_hash = excluded.password_hash, failures = 0, "
               "locked_until_us = null returning id",
            use(tenant), use(login), use(name), use(password_hash), use(now), soci::into(user);
        return user;
    });
    grant(id, grants);
    return id;
}

void Users::grant(UserId user, const std::vector<Grant>& grants) {
    connection_.run("granting roles", [&](soci::session& sql) {
        sql << "delete from user_grant where user_account = :user", use(user);
        for (const auto& given : grants) {
            const std::string role{to_string(given.role)};
            soci::statement insert =
                (sql.prepare
                     << "insert into user_grant (user_account, role, area) select u.id, :role, cast(:area as "
                        "integer) from user_account u where u.id = :user and (cast(:area as integer) is null "
                        "or exists (select from area a where a.id = cast(:area as integer) and a.tenant = "
                        "u.tenant))",
                 soci::use(role, "role"), soci::use(given.area, "area"), soci::use(user, "user"));
            insert.execute(true);
            if (insert.get_affected_rows() != 1)
                throw soci::soci_error("the area is not one of the user's tenant");
        }
    });
}

void Users::rename(UserId user, const std::string& name) {
    connection_.run("renaming a user", [&](soci::session& sql) {
        sql << "update user_account set name = :name where id = :id", use(name), use(user);
    });
}

void Users::set_password(UserId user, const std::string& password_hash) {
    connection_.run("changing a password", [&](soci::session& sql) {
        sql << "update user_account set password_hash = :hash, failures = 0, locked_until_us = null where id "
               "= :id",
            use(password_hash), use(user);
        sql << "delete from user_session where user_account = :id", use(user);
    });
}

bool set_own_password(Connection& connection, Bytes session_token_hash, const std::string& password_hash) {
    return connection.run("changing the own password", [&](soci::session& sql) {
        const auto session = bytea(session_token_hash);
        int done = 0;
        sql << "select own_password(cast(:session as bytea), :hash)::int", use(session), use(password_hash),
            soci::into(done);
        return done != 0;
    });
}

void Users::disable(UserId user, bool disabled) {
    connection_.run("disabling a user", [&](soci::session& sql) {
        const int flag = disabled ? 1 : 0;
        sql << "update user_account set disabled = (cast(:flag as integer) = 1) where id = :id", use(flag),
            use(user);
        if (disabled) sql << "delete from user_session where user_account = :id", use(user);
    });
}

std::vector<Grant> Users::grants_of(UserId user) {
    return connection_.run("reading roles", [&](soci::session& sql) {
        std::vector<Grant> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select role, area from user_grant where user_account = :user order by area "
                            "nulls first, role",
             use(user));
        for (const auto& row : rows) {
            const auto role = parse_role(row.get<std::string>(0));
            if (!role) throw soci::soci_error("an unknown role");
            found.push_back({*role, row.get<std::optional<AreaId>>(1)});
        }
        return found;
    });
}

std::optional<User> Users::find(const std::string& login) {
    auto found = connection_.run("finding a user", [&](soci::session& sql) {
        return first_of((sql.prepare << std::string{user_columns} + " where login = :login", use(login)));
    });
    if (found) found->grants = grants_of(found->id);
    return found;
}

std::optional<User> Users::find(UserId user) {
    auto found = connection_.run("finding a user", [&](soci::session& sql) {
        return first_of((sql.prepare << std::string{user_columns} + " where id = :id", use(user)));
    });
    if (found) found->grants = grants_of(found->id);
    return found;
}

std::vector<User> Users::all(TenantId tenant) {
    auto found = connection_.run("listing users", [&](soci::session& sql) {
        std::vector<User> users;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{user_columns} + " where tenant = :tenant order by login",
             use(tenant));
        for (const auto& row : rows) users.push_back(user_of(row));
        return users;
    });
    for (auto& user : found) user.grants = grants_of(user.id);
    return found;
}

void Users::succeeded(UserId user, Instant now) {
    connection_.run("noting a log-in", [&](soci::session& sql) {
        sql << "update user_account set failures = 0, locked_until_us = null, last_login_us = :now where id "
               "= :id",
            use(now), use(user);
    });
}

void Users::failed(UserId user, Instant now, Duration lock) {
    connection_.run("noting a failed log-in", [&](soci::session& sql) {
        const Instant until = now + lock;
        sql << "update user_account set failures = failures + 1, "
               "locked_until_us = case when failures + 1 >= :most then :until else locked_until_us end where "
               "id = :id",
            use(failures_max), use(until), use(user);
    });
}

void Users::open_session(UserId user, Bytes token_hash, Instant now, Instant expires) {
    connection_.run("opening a user's session", [&](soci::session& sql) {
        const auto token = bytea(token_hash);
        sql << "insert into user_session (token_hash, user_account, created_us, expires_us) "
               "values (:token, :user, :now, :expires)",
            use(token), use(user), use(now), use(expires);
    });
}

std::optional<UserSession> Users::session(Bytes token_hash, Instant now) {
    return connection_.run("finding a user's session", [&](soci::session& sql) -> std::optional<UserSession> {
        UserSession session;
        const auto token = bytea(token_hash);
        sql << "select s.user_account, s.created_us, s.expires_us from user_session s "
               "join user_account u on u.id = s.user_account and not u.disabled "
               "where s.token_hash = :token and s.expires_us > :now",
            use(token), use(now), soci::into(session.user), soci::into(session.created),
            soci::into(session.expires);
        if (!sql.got_data()) return std::nullopt;
        return session;
    });
}

void Users::close_session(Bytes token_hash) {
    connection_.run("closing a user's session", [&](soci::session& sql) {
        const auto token = bytea(token_hash);
        sql << "delete from user_session where token_hash = :token", use(token);
    });
}

int Users::drop_expired_sessions(Instant now) {
    return connection_.run("dropping expired sessions", [&](soci::session& sql) {
        soci::statement drop = (sql.prepare << "delete from user_session where expires_us <= :now", use(now));
        drop.execute(true);
        return static_cast<int>(drop.get_affected_rows());
    });
}

}  // namespace wattmesh::headend::database
