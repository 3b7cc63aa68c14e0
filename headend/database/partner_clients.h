#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

using PartnerClientId = Id<struct PartnerClientTag, std::int32_t>;

/// A program of a partner, and how it proves who it is.
struct PartnerClient {
    PartnerClientId id;
    ContractId contract;
    std::string name;         ///< client_id
    std::string secret_hash;  ///< of security/password
    Instant created{};
    std::string created_by;
    std::optional<Instant> locked_until{}, last_used{}, revoked{};
};

/// Whom a token stands for.
struct PartnerSession {
    Contract contract;
    std::string client;
};

/// Tables partner_client and partner_token.
class PartnerClients {
public:
    /// So many wrong secrets in a row lock a client for a while.
    static constexpr int failures_max = 10;

    explicit PartnerClients(Connection& connection) : connection_(connection) {}

    void add(const PartnerClient& client);
    std::optional<PartnerClient> find(const std::string& name);
    /// By contract and age.
    std::vector<PartnerClient> all();
    /// From now on neither it nor its tokens are known; false when it is not in force.
    bool revoke(PartnerClientId client, Instant now);
    void failed(PartnerClientId client, Instant locked_until);
    /// Stores a token of a client that proved itself, and forgets those that have expired.
    void open(PartnerClientId client, Bytes token_hash, Instant now, Instant expires);
    /// Nothing when the token is unknown or over, its client was revoked or the contract disabled.
    std::optional<PartnerSession> session(Bytes token_hash, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
