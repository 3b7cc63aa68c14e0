#include "headend/database/users.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr int failures_max = 5;
constexpr const char* columns =
    "select id, login, name, role, password_hash, disabled::int, failures, locked_until_us from user_account";

User user_of(const soci::row& row) {
    return {.id = row.get<UserId>(0),
            .login = row.get<std::string>(1),
            .name = row.get<std::string>(2),
            .role = row.get<std::string>(3),
            .password_hash = row.get<std::string>(4),
            .disabled = row.get<int>(5) != 0,
            .failures = row.get<int>(6),
            .locked_until = row.get<std::optional<Instant>>(7)};
}

std::optional<User> first_of(const soci::rowset<soci::row>& rows) {
    for (const auto& row : rows) return user_of(row);
    return std::nullopt;
}

}  // namespace

UserId Users::put(const std::string& login, const std::string& name, const std::string& role,
                  const std::string& password_hash, Instant now) {
    return connection_.run("storing a user", [&](soci::session& sql) {
        UserId id;
        sql << "insert into user_account (tenant, login, name, role, password_hash, created_us) "
               "values (1, :login, :name, :role, :hash, :now) on conflict (login) do update "
               "set name = excluded.name, role = excluded.role, password_hash = excluded.password_hash, "
               "failures = 0, "
               "locked_until_us = null returning id",
            use(login), use(name), use(role), use(password_hash), use(now), soci::into(id);
        return id;
    });
}

std::optional<User> Users::find(const std::string& login) {
    return connection_.run("finding a user", [&](soci::session& sql) {
        return first_of((sql.prepare << std::string{columns} + " where login = :login", use(login)));
    });
}

std::optional<User> Users::find(UserId user) {
    return connection_.run("finding a user", [&](soci::session& sql) {
        return first_of((sql.prepare << std::string{columns} + " where id = :id", use(user)));
    });
}

std::vector<User> Users::all() {
    return connection_.run("listing users", [&](soci::session& sql) {
        std::vector<User> found;
        const soci::rowset<soci::row> rows = (sql.prepare << std::string{columns} + " order by login");
        for (const auto& row : rows) found.push_back(user_of(row));
        return found;
    });
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
