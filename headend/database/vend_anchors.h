#pragma once
#include <chrono>

#include "headend/database/vend_journal.h"

namespace wattmesh::headend::database {

/// The end of the journal of sales on one day, signed (ECDSA P-256 with SHA-256 over anchor_text).
struct VendAnchor {
    std::chrono::sys_days day{};  ///< UTC
    AuditHead head;               ///< the last batch that was sealed on it
    Instant at{};                 ///< of the signature
    Buffer public_key, signature;
    bool operator==(const VendAnchor&) const = default;
};

/// "2026-11-23".
std::string day_text(std::chrono::sys_days day);
/// What is signed: one line that says everything but key and signature.
std::string anchor_text(const VendAnchor& anchor);

/// Table vend_anchor: one a day, of days on which something was sealed. Never changed.
class VendAnchors {
public:
    explicit VendAnchors(Connection& connection) : connection_(connection) {}

    /// The last day before that of `now` on which something was sealed, when it is after every day that has
    /// an anchor; without key and signature. What was sealed on a day that has one already, by a clock that
    /// was set back, is covered by the next day's.
    std::optional<VendAnchor> due(Instant now);
    void add(const VendAnchor& anchor);
    /// Oldest first.
    std::vector<VendAnchor> all();
    /// Days before that of `now`, and after the last anchor's, on which something was sealed and that no
    /// anchor covers.
    std::vector<std::chrono::sys_days> missing(Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
