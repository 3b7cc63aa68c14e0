#include "headend/database/audit_log.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::int64_t AuditLog::append(Instant at, const std::string& actor, const std::string& action,
                              const std::string& subject, const std::string& detail) {
    return connection_.run("appending to the audit log", [&](soci::session& sql) {
        long long number = 0;
        sql << "select audit_append(:at, :actor, :action, :subject, :detail)", use(at), use(actor),
            use(action), use(subject), use(detail), soci::into(number);
        return std::int64_t{number};
    });
}

std::vector<AuditRecord> AuditLog::latest(int count) {
    return connection_.run("reading the audit log", [&](soci::session& sql) {
        std::vector<AuditRecord> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select number, at_us, actor, action, subject, detail from audit order by number desc "
                    "limit :count",
             use(count));
        for (const auto& row : rows)
            found.push_back({row.get<long long>(0), row.get<Instant>(1), row.get<std::string>(2),
                             row.get<std::string>(3), row.get<std::string>(4), row.get<std::string>(5)});
        return found;
    });
}

std::optional<std::int64_t> AuditLog::first_broken() {
    return connection_.run("checking the audit log", [&](soci::session& sql) {
        long long number = 0;
        soci::indicator there = soci::i_null;
        sql << "select audit_first_broken()", soci::into(number, there);
        return there == soci::i_ok ? std::optional<std::int64_t>{number} : std::nullopt;
    });
}

}  // namespace wattmesh::headend::database
