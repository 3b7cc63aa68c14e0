#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/contracts.h"

namespace wattmesh::headend::database {

/// Something that partners are told of. The schema's functions tell and tell_event write it, in the
/// transaction in which it happened.
struct OutboxMessage {
    std::int64_t id = 0;        ///< names the message for ever
    std::int64_t position = 0;  ///< its place: 1, 2, 3 ...
    std::string topic, type, subject;
    Instant at{};
    std::string data;  ///< a JSON object
    bool operator==(const OutboxMessage&) const = default;
};

/// The part of the outbox whose order keys leave `lane` when divided by `lanes`.
struct OutboxShare {
    int lanes = 1, lane = 0;
};
struct OutboxPage {
    std::vector<OutboxMessage> messages;  ///< by position
    std::int64_t position = 0;            ///< everything up to here was looked at
};

/// Table outbox.
class Outbox {
public:
    explicit Outbox(Connection& connection) : connection_(connection) {}

    /// Gives up to `most` committed messages their places; how many. 0 when another sealer is at work.
    int seal(Instant now, int most);
    /// Of the last that was sealed.
    std::int64_t head();
    /// What the contract may see of the topics after a position, in the contract's words.
    OutboxPage after(const Contract& contract, const std::vector<std::string>& topics, OutboxShare share,
                     std::int64_t position, int count_max);
    /// Forgets what was sealed before `sealed_before` and neither a webhook in force waits for nor a partner
    /// whose feed has moved since then; how many, `most` at once. Contracts that are disabled hold nothing.
    int drop(Instant sealed_before, int most = 20'000);
    /// Everything up to this position was forgotten.
    std::int64_t dropped();
    /// What the partner has confirmed by asking for what comes after it; nothing before he first asked.
    std::optional<std::int64_t> confirmed(ContractId contract);
    /// Notes it; a position never goes back.
    void confirm(ContractId contract, std::int64_t position, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
