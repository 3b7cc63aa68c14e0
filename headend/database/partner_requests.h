#pragma once
#include <optional>
#include <string>

#include "headend/database/contracts.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

/// What a partner's order was answered with.
struct PartnerReply {
    Buffer digest;  ///< SHA-256 of the request
    int status = 0;
    std::string location, body;
};

/// Table partner_request: answers by idempotency key.
class PartnerRequests {
public:
    explicit PartnerRequests(Connection& connection) : connection_(connection) {}

    /// Takes the key for the caller's transaction, which stores the answer; false when it was taken before.
    /// Waits for another transaction that is about to take it.
    bool take(ContractId contract, const std::string& key, Bytes digest, Instant now);
    void store(ContractId contract, const std::string& key, const PartnerReply& reply);
    /// Nothing when the key is not taken.
    std::optional<PartnerReply> find(ContractId contract, const std::string& key);
    /// Forgets what was asked before; how many.
    int drop(Instant before);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
