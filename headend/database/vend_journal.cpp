#include "headend/database/vend_journal.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

AuditSealed VendJournal::seal(Instant now, int most) {
    return connection_.run("sealing the journal of sales", [&](soci::session& sql) {
        AuditSealed result;
        long long number = 0;
        std::string hash;
        soci::indicator has_number = soci::i_null, has_hash = soci::i_null;
        sql << "select sealed, head, head_hash from vend_seal(:now, :most)", use(now), use(most),
            soci::into(result.records), soci::into(number, has_number), soci::into(hash, has_hash);
        if (has_number == soci::i_ok && has_hash == soci::i_ok) result.head = {number, from_bytea(hash)};
        return result;
    });
}

AuditHead VendJournal::head() {
    return connection_.run("reading the journal's chain", [&](soci::session& sql) {
        long long number = 0;
        std::string hash;
        sql << "select number, hash from vend_seal order by number desc limit 1", soci::into(number),
            soci::into(hash);
        return sql.got_data() ? AuditHead{number, from_bytea(hash)} : AuditHead{};
    });
}

Buffer VendJournal::hash_of(std::int64_t number) {
    return connection_.run("reading the journal's chain", [&](soci::session& sql) {
        std::string hash;
        const long long wanted = number;
        sql << "select hash from vend_seal where number = :number", use(wanted), soci::into(hash);
        return sql.got_data() ? from_bytea(hash) : Buffer{};
    });
}

std::optional<std::int64_t> VendJournal::first_broken() {
    return connection_.run("checking the journal of sales", [&](soci::session& sql) {
        long long number = 0;
        soci::indicator there = soci::i_null;
        sql << "select vend_first_broken()", soci::into(number, there);
        return there == soci::i_ok ? std::optional<std::int64_t>{number} : std::nullopt;
    });
}

std::pair<std::int64_t, std::optional<Instant>> VendJournal::waiting() {
    return connection_.run("counting what is not sealed", [&](soci::session& sql) {
        long long count = 0;
        std::optional<Instant> oldest;
        sql << "select count(*), min(at_us) from vend_journal where seal is null", soci::into(count),
            soci::into(oldest);
        return std::pair{std::int64_t{count}, oldest};
    });
}

std::vector<std::string> VendJournal::check() {
    return connection_.run("checking the books", [&](soci::session& sql) {
        std::vector<std::string> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select * from vend_check()");
        for (const auto& row : rows) found.push_back(row.get<std::string>(0));
        return found;
    });
}

void VendJournal::append(Instant at, const std::string& event, const std::string& operator_,
                         const std::string& record) {
    connection_.run("appending to the journal of sales", [&](soci::session& sql) {
        sql << "select vend_journal_append(:at, null, :event, :operator, :record)", use(at), use(event),
            use(operator_), use(record);
    });
}

std::uint64_t VendJournal::compared() {
    return connection_.run("reading how far the module was compared", [&](soci::session& sql) {
        long long sequence = 0;
        sql << "select sequence from vend_module_state", soci::into(sequence);
        return static_cast<std::uint64_t>(sequence);
    });
}

void VendJournal::set_compared(std::uint64_t sequence) {
    connection_.run("noting how far the module was compared", [&](soci::session& sql) {
        const auto value = static_cast<long long>(sequence);
        sql << "update vend_module_state set sequence = greatest(sequence, :sequence)", use(value);
    });
}

bool VendJournal::knows(const std::string& request) {
    return connection_.run("looking for a token", [&](soci::session& sql) {
        int there = 0;
        sql << "select (exists (select from vend_token where request = :request))::int", use(request),
            soci::into(there);
        return there != 0;
    });
}

void VendJournal::add_foreign(const ForeignCall& call, Instant found) {
    connection_.run("noting a call of the module that no sale asked for", [&](soci::session& sql) {
        const auto sequence = static_cast<long long>(call.sequence);
        const long long tenths = call.tenths;
        const int tid = call.tid ? static_cast<int>(call.tid->value) : 0;
        soci::indicator has_tid = call.tid ? soci::i_ok : soci::i_null;
        sql << "insert into vend_foreign_call values (:sequence, :at, :request, :pan, :tid, :tenths, :found) "
               "on conflict do nothing",
            use(sequence), use(call.at), use(call.request), use(call.meter_pan), soci::use(tid, has_tid),
            use(tenths), use(found);
    });
}

std::vector<ForeignCall> VendJournal::foreign(int count) {
    return connection_.run("listing calls that no sale asked for", [&](soci::session& sql) {
        std::vector<ForeignCall> calls;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select module_sequence, at_us, request, meter_pan, tid, tenths from "
                            "vend_foreign_call order by "
                            "module_sequence desc limit :count",
             use(count));
        for (const auto& row : rows) {
            ForeignCall call{.sequence = static_cast<std::uint64_t>(row.get<long long>(0)),
                             .at = row.get<Instant>(1),
                             .request = row.get<std::string>(2),
                             .meter_pan = row.get<std::string>(3),
                             .tid = {}};
            if (row.get_indicator(4) == soci::i_ok)
                call.tid = sts::Tid{static_cast<std::uint32_t>(row.get<int>(4))};
            call.tenths = row.get<long long>(5);
            calls.push_back(std::move(call));
        }
        return calls;
    });
}

std::optional<std::string> differs_from(VendJournal& journal, const AuditMark& mark) {
    const auto kept = mark.read();
    if (!kept) return std::nullopt;
    const auto hash = journal.hash_of(kept->number);
    if (hash == kept->hash) return std::nullopt;
    return "the journal of sales " +
           std::string{hash.empty() ? "ends before" : "was written anew: its batch is not"} + " batch " +
           std::to_string(kept->number) + ", which was sealed here; or the database was put back";
}

}  // namespace wattmesh::headend::database
