#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/users.h"

namespace wattmesh::headend::database {

using TokenId = Id<struct TokenTag, std::int64_t>;

/// What a program signs in with. It may do what its owner may, at most.
struct ApiToken {
    TokenId id;
    UserId user;
    std::string name;
    bool look_only = true;
    Instant created{}, expires{};
    std::optional<Instant> last_used, revoked;
};

/// Table api_token. The token itself is shown once and stored as its SHA-256.
class ApiTokens {
public:
    explicit ApiTokens(Connection& connection) : connection_(connection) {}

    TokenId add(UserId user, const std::string& name, bool look_only, Bytes token_hash, Instant now,
                Instant expires);
    /// Nothing when unknown, expired at `now` or revoked. Notes the use, once a minute at most.
    std::optional<ApiToken> use_of(Bytes token_hash, Instant now);
    /// Newest first, revoked and expired ones too.
    std::vector<ApiToken> of(UserId user);
    /// False when the user has no such token in force.
    bool revoke(UserId user, TokenId token, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
