#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using UserId = Id<struct UserTag, std::int64_t>;

struct User {
    UserId id;
    std::string login, name;
    std::string role;           ///< "operator", "engineer", "administrator"
    std::string password_hash;  ///< as security/password makes it
    bool disabled = false;
    int failures = 0;  ///< failed log-ins in a row
    std::optional<Instant> locked_until;
};

struct UserSession {
    UserId user;
    Instant created{}, expires{};
};

/// Tables user_account and user_session. Session tokens are stored as their SHA-256 only.
class Users {
public:
    explicit Users(Connection& connection) : connection_(connection) {}

    /// Adds the user, or changes name, role and password of the one with this login.
    UserId put(const std::string& login, const std::string& name, const std::string& role,
               const std::string& password_hash, Instant now);
    std::optional<User> find(const std::string& login);
    std::optional<User> find(UserId user);
    std::vector<User> all();
    void succeeded(UserId user, Instant now);
    /// Counts a failed log-in; from the fifth in a row the account is locked for `lock`.
    void failed(UserId user, Instant now, Duration lock = std::chrono::minutes{5});

    void open_session(UserId user, Bytes token_hash, Instant now, Instant expires);
    /// Nothing when unknown, expired at `now`, or the user is disabled.
    std::optional<UserSession> session(Bytes token_hash, Instant now);
    void close_session(Bytes token_hash);
    int drop_expired_sessions(Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
