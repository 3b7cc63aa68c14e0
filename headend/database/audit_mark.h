#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "headend/database/audit_log.h"

namespace wattmesh::headend::database {

/// How far the audit log was sealed, kept outside the database: who cuts off the chain's end there, or
/// writes it anew from some record on, is found out. One file, replaced as a whole; one writer at a time.
class AuditMark {
public:
    /// `folder` is the head-end's own (keys.counters). The journal of sales has a mark of its own.
    explicit AuditMark(const std::filesystem::path& folder, const char* name = "audit-head")
        : file_(folder / name) {}

    /// Nothing when there is none yet. Throws std::runtime_error when the file is not one of ours.
    std::optional<AuditHead> read() const;
    void write(const AuditHead& head) const;
    void forget() const;

private:
    std::filesystem::path file_;
};

/// What is wrong with the log as the database has it now, in words for a person; nothing when it is whole.
/// The chain itself is checked by AuditLog::first_broken.
std::optional<std::string> differs_from(AuditLog& log, const AuditMark& mark);

}  // namespace wattmesh::headend::database
