#include "headend/database/audit_log.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

AuditRecord record_of(const soci::row& row) {
    AuditRecord record{row.get<Instant>(0), row.get<std::string>(1), row.get<std::string>(2),
                       row.get<std::string>(3)};
    record.detail = row.get<std::string>(4);
    record.reason = row.get<std::string>(5);
    if (row.get_indicator(6) == soci::i_ok) record.before = row.get<std::string>(6);
    if (row.get_indicator(7) == soci::i_ok) record.after = row.get<std::string>(7);
    record.tenant = row.get<std::optional<TenantId>>(8);
    record.id = row.get<long long>(9);
    record.number = row.get<long long>(10);
    return record;
}

}  // namespace

std::int64_t AuditLog::append(const AuditRecord& record) {
    return connection_.run("appending to the audit log", [&](soci::session& sql) {
        long long id = 0;
        const auto text = [](const std::optional<std::string>& value) {
            return value.value_or(std::string{});
        };
        const auto told = [](const std::optional<std::string>& value) {
            return value ? soci::i_ok : soci::i_null;
        };
        const std::string before = text(record.before), after = text(record.after);
        auto has_before = told(record.before), has_after = told(record.after);
        sql << "select audit_append(:at, :tenant, :actor, :action, :subject, :detail, :reason, :before, "
               ":after)",
            use(record.at), use(record.tenant), use(record.actor), use(record.action), use(record.subject),
            use(record.detail), use(record.reason), soci::use(before, has_before),
            soci::use(after, has_after), soci::into(id);
        return std::int64_t{id};
    });
}

AuditSealed AuditLog::seal(int most) {
    return connection_.run("sealing the audit log", [&](soci::session& sql) {
        AuditSealed result;
        long long number = 0;
        std::string hash;
        soci::indicator has_number = soci::i_null, has_hash = soci::i_null;
        sql << "select sealed, head, head_hash from audit_seal(:most)", use(most), soci::into(result.records),
            soci::into(number, has_number), soci::into(hash, has_hash);
        if (has_number == soci::i_ok && has_hash == soci::i_ok) result.head = {number, from_bytea(hash)};
        return result;
    });
}

std::vector<AuditRecord> AuditLog::find(const AuditQuery& query) {
    return connection_.run("reading the audit log", [&](soci::session& sql) {
        std::vector<AuditRecord> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select at_us, actor, action, subject, detail, reason, before, after, tenant, id, "
                    "coalesce(number, 0) from audit where (:actor = '' or actor = :actor) "
                    "and (:action = '' or action = :action) and (:subject = '' or subject = :subject) "
                    "and (cast(:from as bigint) is null or at_us >= cast(:from as bigint)) "
                    "and (cast(:to as bigint) is null or at_us < cast(:to as bigint)) "
                    "and (cast(:below as bigint) is null or id < cast(:below as bigint)) "
                    "and (cast(:tenant as integer) is null or tenant is null or tenant = cast(:tenant as "
                    "integer)) "
                    "order by id desc limit :count",
             soci::use(query.actor, "actor"), soci::use(query.action, "action"),
             soci::use(query.subject, "subject"), soci::use(query.from, "from"), soci::use(query.to, "to"),
             soci::use(query.below, "below"), soci::use(query.tenant, "tenant"),
             soci::use(query.count, "count"));
        for (const auto& row : rows) found.push_back(record_of(row));
        return found;
    });
}

std::vector<AuditRecord> AuditLog::latest(int count) {
    AuditQuery query;
    query.count = count;
    return find(query);
}

std::optional<std::int64_t> AuditLog::first_broken() {
    return connection_.run("checking the audit log", [&](soci::session& sql) {
        long long number = 0;
        soci::indicator there = soci::i_null;
        sql << "select audit_first_broken()", soci::into(number, there);
        return there == soci::i_ok ? std::optional<std::int64_t>{number} : std::nullopt;
    });
}

Buffer AuditLog::hash_of(std::int64_t number) {
    return connection_.run("reading the audit log's chain", [&](soci::session& sql) {
        std::string hash;
        const long long wanted = number;
        sql << "select hash from audit where number = :number", use(wanted), soci::into(hash);
        return sql.got_data() ? from_bytea(hash) : Buffer{};
    });
}

AuditHead AuditLog::head() {
    return connection_.run("reading the audit log's chain", [&](soci::session& sql) {
        long long number = 0;
        std::string hash;
        sql << "select number, hash from audit where number is not null order by number desc limit 1",
            soci::into(number), soci::into(hash);
        return sql.got_data() ? AuditHead{number, from_bytea(hash)} : AuditHead{};
    });
}

std::pair<std::int64_t, std::optional<Instant>> AuditLog::waiting() {
    return connection_.run("counting what is not sealed", [&](soci::session& sql) {
        long long count = 0;
        std::optional<Instant> oldest;
        sql << "select count(*), min(at_us) from audit where number is null", soci::into(count),
            soci::into(oldest);
        return std::pair{std::int64_t{count}, oldest};
    });
}

}  // namespace wattmesh::headend::database
