#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/audit_mark.h"
#include "headend/database/vend_ids.h"
#include "protocol/sts/token_time.h"

namespace wattmesh::headend::database {

/// A call that the module made and no sale asked for.
struct ForeignCall {
    std::uint64_t sequence = 0;
    Instant at{};
    std::string request, meter_pan;
    std::optional<sts::Tid> tid;
    std::int64_t tenths = 0;
};

/// Tables vend_journal, vend_seal, vend_foreign_call and vend_module_state. Writers of the journal only
/// insert; the sealer chains what is committed, batch by batch.
class VendJournal {
public:
    explicit VendJournal(Connection& connection) : connection_(connection) {}

    /// Seals up to `most` committed records as one batch. The head's number counts batches.
    AuditSealed seal(Instant now, int most);
    AuditHead head();
    Buffer hash_of(std::int64_t number);
    std::optional<std::int64_t> first_broken();
    std::pair<std::int64_t, std::optional<Instant>> waiting();
    /// What does not agree in the books, in words.
    std::vector<std::string> check();
    void append(Instant at, const std::string& event, const std::string& operator_,
                const std::string& record);

    /// Up to which call of the module the journal was compared with it.
    std::uint64_t compared();
    void set_compared(std::uint64_t sequence);
    /// Whether a sale asked for it.
    bool knows(const std::string& request);
    void add_foreign(const ForeignCall& call, Instant found);
    std::vector<ForeignCall> foreign(int count);

private:
    Connection& connection_;
};

/// What is wrong with the journal's end, in words for a person; nothing when it goes on from the mark.
std::optional<std::string> differs_from(VendJournal& journal, const AuditMark& mark);
/// Where the mark of the journal is, in keys.counters.
inline constexpr const char* vend_mark = "vend-head";

}  // namespace wattmesh::headend::database
