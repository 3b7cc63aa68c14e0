#include "security/audit.h"

#include "protocol/base/writer.h"
#include "security/ciphers.h"

namespace wattmesh::security {

AuditHash audit_hash(const AuditHash& previous, const AuditRecord& record) {
    Writer out;
    out.bytes(as_bytes("wattmesh audit 1")).bytes(previous).i64(record.sequence).i64(epoch_us(record.at));
    for (const auto* text : {&record.who, &record.what, &record.why, &record.before, &record.after}) {
        out.u64(text->size()).bytes(as_bytes(*text));
    }
    return sha256(out.view());
}

std::optional<std::int64_t> first_broken_audit_record(std::span<const ChainedAuditRecord> records,
                                                      std::int64_t previous_sequence,
                                                      const AuditHash& previous_hash) {
    AuditHash hash = previous_hash;
    for (const auto& [record, stored] : records) {
        hash = audit_hash(hash, record);
        if (record.sequence != ++previous_sequence || hash != stored) return record.sequence;
    }
    return std::nullopt;
}

}  // namespace wattmesh::security
