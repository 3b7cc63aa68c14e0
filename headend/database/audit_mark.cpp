#include "headend/database/audit_mark.h"

#include <fstream>
#include <stdexcept>

#include "security/private_file.h"

namespace wattmesh::headend::database {

std::optional<AuditHead> AuditMark::read() const {
    std::ifstream in{file_};
    if (!in) return std::nullopt;
    AuditHead head;
    std::string hash;
    in >> head.number >> hash;
    const auto octets = from_hex(hash);
    if (!in || head.number < 1 || !octets || octets->size() != 32)
        throw std::runtime_error(file_.string() + " does not hold the end of the audit log");
    head.hash = *octets;
    return head;
}

void AuditMark::write(const AuditHead& head) const {
    std::filesystem::create_directories(file_.parent_path());
    security::write_private_file(file_,
                                 as_bytes(std::to_string(head.number) + " " + to_hex(head.hash) + "\n"));
}

void AuditMark::forget() const { std::filesystem::remove(file_); }

std::optional<std::string> differs_from(AuditLog& log, const AuditMark& mark) {
    const auto kept = mark.read();
    if (!kept) return std::nullopt;
    const auto hash = log.hash_of(kept->number);
    if (hash == kept->hash) return std::nullopt;
    if (hash.empty())
        return "the log ends before record " + std::to_string(kept->number) +
               ", which was sealed here: its end was removed, or the database was put back (then run "
               "'headend restored')";
    return "record " + std::to_string(kept->number) +
           " is not the one that was sealed here: the log was written anew, or the database was put back "
           "(then run "
           "'headend restored')";
}

}  // namespace wattmesh::headend::database
