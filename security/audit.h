#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::security {

/// One act of a person or a program. `before` and `after` are texts (JSON, mostly) and never hold secrets.
struct AuditRecord {
    std::int64_t sequence = 0;  ///< 1, 2, 3 ... without gaps
    Instant at{};
    std::string who, what, why, before, after;
};

using AuditHash = std::array<std::uint8_t, 32>;

/// SHA-256 over the hash of the record before and every field of this one with its length. The first record
/// follows a hash of zeros. A record that is changed, moved or left out breaks every hash after it; cutting
/// off the end is only seen by somebody who kept the last hash elsewhere.
AuditHash audit_hash(const AuditHash& previous, const AuditRecord& record);

struct ChainedAuditRecord {
    AuditRecord record;
    AuditHash hash{};
};
/// Sequence of the first record that does not follow from the one before it; nothing when the chain holds.
/// `previous` is the state before the first of `records`: sequence and hash.
std::optional<std::int64_t> first_broken_audit_record(std::span<const ChainedAuditRecord> records,
                                                      std::int64_t previous_sequence = 0,
                                                      const AuditHash& previous_hash = {});

}  // namespace wattmesh::security
