#include "headend/vending/reconcile.h"

#include "headend/database/customers.h"

namespace wattmesh::headend::vending {
namespace {

constexpr std::size_t at_once = 1'000;

database::ForeignCall foreign_of(const security::ModuleCall& call) {
    return {.sequence = call.sequence,
            .at = call.at,
            .request = call.id,
            .meter_pan = std::string{call.key.meter.digits()},
            .tid = call.tid,
            .tenths = static_cast<std::int64_t>(call.units)};
}

std::string words(const database::ForeignCall& call) {
    return "call " + std::to_string(call.sequence) + " request " + call.request + " meter " + call.meter_pan +
           " tenths " + std::to_string(call.tenths);
}

}  // namespace

Compared compare_with_module(database::Connection& connection, security::VendingModule& module, Instant now) {
    Compared result;
    database::VendJournal journal{connection};
    database::Customers customers{connection};
    for (auto from = journal.compared();;) {
        const auto calls = module.calls_after(from, at_once);
        if (calls.empty()) return result;
        database::Transaction transaction{connection};
        for (const auto& call : calls) {
            from = call.sequence;
            ++result.calls;
            if (journal.knows(call.id)) continue;
            const auto foreign = foreign_of(call);
            if (call.tid) customers.raise_tid(call.key.meter, *call.tid);
            journal.add_foreign(foreign, now);
            journal.append(now, "foreign call", "vending", words(foreign));
            result.foreign.push_back(foreign);
        }
        journal.set_compared(from);
        transaction.commit();
    }
}

}  // namespace wattmesh::headend::vending
