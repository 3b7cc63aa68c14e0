#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// Who did what to what, why, and what it was before and after. Never a secret.
struct AuditRecord {
    Instant at{};
    std::string actor, action, subject;
    std::string detail{};
    std::string reason{};                          ///< why, in the words of who did it
    std::optional<std::string> before{}, after{};  ///< of what was changed
    std::optional<TenantId> tenant{};              ///< none: the whole head-end
    std::int64_t id = 0;                           ///< given by the database
    std::int64_t number = 0;                       ///< place in the chain; 0: not sealed yet
};

/// The end of the chain.
struct AuditHead {
    std::int64_t number = 0;
    Buffer hash;
    bool operator==(const AuditHead&) const = default;
};

struct AuditSealed {
    int records = 0;
    AuditHead head;
};

/// What of the log is asked for; empty texts mean any.
struct AuditQuery {
    std::string actor, action, subject;  ///< whole words
    std::optional<Instant> from, to;     ///< [from, to)
    std::optional<std::int64_t> below;   ///< id: the page after it
    std::optional<TenantId> tenant;      ///< its records and those of the whole head-end
    int count = 100;
};

/// Table audit: append only. A record is written in the transaction of what it tells of; the sealer then
/// numbers committed records and chains each to its predecessor by SHA-256. Roles may append, one may seal,
/// none may change: all through functions of the schema.
class AuditLog {
public:
    explicit AuditLog(Connection& connection) : connection_(connection) {}

    /// The record's id.
    std::int64_t append(const AuditRecord& record);
    /// Seals up to `most` committed records, oldest first. Another sealer at work: none, and no head.
    AuditSealed seal(int most);
    /// Newest first.
    std::vector<AuditRecord> find(const AuditQuery& query);
    std::vector<AuditRecord> latest(int count);

    /// The first sealed record that does not fit the chain; nothing when all do.
    std::optional<std::int64_t> first_broken();
    /// The hash of a sealed record; empty when there is no such number.
    Buffer hash_of(std::int64_t number);
    AuditHead head();
    /// Committed and not sealed yet: how many, and when the oldest was written.
    std::pair<std::int64_t, std::optional<Instant>> waiting();

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
