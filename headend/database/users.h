#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/rights.h"
#include "headend/database/scope.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using UserId = Id<struct UserTag, std::int64_t>;

/// A role in one area, or in the whole tenant.
struct Grant {
    Role role = Role::viewer;
    std::optional<AreaId> area;
    bool operator==(const Grant&) const = default;
};

struct User {
    UserId id;
    TenantId tenant{1};
    std::string login, name;
    std::vector<Grant> grants;  ///< none: may sign in and see nothing
    std::string password_hash;  ///< as security/password makes it
    bool disabled = false;
    int failures = 0;  ///< failed log-ins in a row
    std::optional<Instant> locked_until, last_login;

    bool may(Right right) const;
    /// Where the user has the right. Scope::nothing() when nowhere.
    Scope scope(Right right) const;
};
/// "operator", "engineer in 3, viewer": for pages and the audit log.
std::string to_string(const std::vector<Grant>& grants);

struct UserSession {
    UserId user;
    Instant created{}, expires{};
};

/// Tables user_account, user_grant and user_session. Session tokens are stored as their SHA-256 only.
class Users {
public:
    explicit Users(Connection& connection) : connection_(connection) {}

    /// Adds the user, or changes name, grants and password of the one with this login.
    UserId put(TenantId tenant, const std::string& login, const std::string& name,
               const std::vector<Grant>& grants, const std::string& password_hash, Instant now);
    /// Replaces all grants. Throws DatabaseError refused when an area is not the tenant's.
    void grant(UserId user, const std::vector<Grant>& grants);
    void rename(UserId user, const std::string& name);
    /// Sets another password; whoever is signed in with the old one is signed out.
    void set_password(UserId user, const std::string& password_hash);
    /// A disabled user keeps name and grants, and is signed out.
    void disable(UserId user, bool disabled);
    std::optional<User> find(const std::string& login);
    std::optional<User> find(UserId user);
    std::vector<User> all(TenantId tenant);
    void succeeded(UserId user, Instant now);
    /// Counts a failed log-in; from the fifth in a row the account is locked for `lock`.
    void failed(UserId user, Instant now, Duration lock = std::chrono::minutes{5});

    void open_session(UserId user, Bytes token_hash, Instant now, Instant expires);
    /// Nothing when unknown, expired at `now`, or the user is disabled.
    std::optional<UserSession> session(Bytes token_hash, Instant now);
    void close_session(Bytes token_hash);
    int drop_expired_sessions(Instant now);

private:
    std::vector<Grant> grants_of(UserId user);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
