#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"

namespace wattmesh::headend::database {

struct AuditRecord {
    std::int64_t number = 0;
    Instant at{};
    std::string actor, action, subject, detail;  ///< never a secret
};

/// Table audit: append only, each record carries the SHA-256 of itself and its predecessor. The roles may
/// only append, through a function of the schema.
class AuditLog {
public:
    explicit AuditLog(Connection& connection) : connection_(connection) {}

    std::int64_t append(Instant at, const std::string& actor, const std::string& action,
                        const std::string& subject, const std::string& detail);
    std::vector<AuditRecord> latest(int count);
    /// The first record that does not fit the chain; nothing when all do.
    std::optional<std::int64_t> first_broken();

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
