#include "headend/vending/upkeep.h"

namespace wattmesh::headend::vending {
namespace {

constexpr int records_at_once = 10'000, sales_at_once = 100;

/// Why a sale could not be brought to its end.
std::optional<std::string> ended(database::Connection& connection, Seller& seller, database::SaleId id) {
    try {
        const auto answer = seller.resume(connection, id);
        if (const auto* no = std::get_if<Objection>(&answer)) return no->words;
        return std::nullopt;
    } catch (const database::DatabaseError& error) {
        if (error.trouble() != database::Trouble::refused) throw;
        return error.what();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

}  // namespace

Kept seal(database::Connection& connection, const database::AuditMark& mark, Instant now) {
    database::VendJournal journal{connection};
    Kept kept;
    try {
        if (auto trouble = differs_from(journal, mark)) kept.alarms.push_back(std::move(*trouble));
    } catch (const database::DatabaseError&) {
        throw;
    } catch (const std::runtime_error& error) {
        kept.alarms.emplace_back(error.what());  // a mark that nobody can read stops no sealing
    }
    const auto sealed = journal.seal(now, records_at_once);
    if (kept.alarms.empty() && sealed.records > 0) mark.write(sealed.head);
    kept.sealed = sealed.records;
    return kept;
}

Kept look_after(database::Connection& connection, Seller& seller, security::VendingModule& module,
                Instant now, Duration left_for) {
    Kept kept;
    for (const auto& call : compare_with_module(connection, module, now).foreign)
        kept.alarms.push_back("the module made a token that no sale asked for: call " +
                              std::to_string(call.sequence) + ", meter " + call.meter_pan);
    kept.compared = true;
    database::Sales sales{connection};
    for (const auto id : sales.open(now - left_for, sales_at_once)) {
        const auto trouble = ended(connection, seller, id);
        if (!trouble) continue;
        kept.alarms.push_back(*trouble);
        sales.tried(id, now);  // the next sale is not to wait for this one
    }
    for (const auto& key : module.keys())
        for (const auto alarm : alarms_of(key, now))
            kept.alarms.push_back("vending key " + to_string(key.terms.name) + ": " +
                                  std::string{to_string(alarm)});
    return kept;
}

Kept anchor_day(database::Connection& connection, AnchorKeeper& keeper, Instant now) {
    Kept kept;
    try {
        keeper.anchor(connection, now);
    } catch (const database::DatabaseError& error) {
        if (error.trouble() != database::Trouble::refused) throw;
        kept.alarms.emplace_back("the journal's day was not signed: " + std::string{error.what()});
    } catch (const std::runtime_error& error) {
        kept.alarms.emplace_back("the journal's day was not signed: " + std::string{error.what()});
    }
    return kept;
}

bool begin_anew(database::Connection& connection, const database::AuditMark& mark,
                const std::filesystem::path& folder, const std::string& by, Instant now) {
    database::VendJournal journal{connection};
    if (!differs_from(journal, mark)) return false;
    const auto before = mark.read();
    journal.append(now, "restored", by,
                   "was sealed up to batch " + std::to_string(before->number) + " " + to_hex(before->hash) +
                       ", ends at " + std::to_string(journal.head().number));
    begin_anchors_anew(connection, folder, now);
    mark.forget();
    return true;
}

}  // namespace wattmesh::headend::vending
