#include "headend/vending/adjust.h"

#include "headend/console/json.h"
#include "headend/database/audit_log.h"

namespace wattmesh::headend::vending {
namespace {

using database::Adjustment;
using database::AdjustmentRefusal;
using database::Adjustments;

[[noreturn]] void refused(AdjustmentRefusal refusal) {
    throw AdjustmentError(refusal, std::string{explain(refusal)});
}

void note(database::Connection& connection, TenantId tenant, const Adjustment& one, const std::string& action,
          const std::string& by, const std::string& reason, Instant now) {
    database::AuditRecord record{now, by, action, "account " + one.account};
    record.detail = "adjustment " + std::to_string(one.id) + " of " + std::to_string(one.amount.minor) +
                    (one.debt.empty() ? ", reference " + one.reference : ", debt " + one.debt);
    record.reason = reason;
    record.after = one.state;
    record.tenant = tenant;
    database::AuditLog{connection}.append(record);
}

std::string verb_of(const Adjustment& one) {
    return one.kind == "pay_out" ? "vend pay-out" : "vend write-off";
}

}  // namespace

Adjustment order_adjustment(database::Connection& connection, const database::AdjustmentOrder& order,
                            const Shopfront& front, Instant now) {
    database::Transaction transaction{connection};
    Adjustments adjustments{connection};
    auto ordered = adjustments.order(order, now);
    if (const auto* no = std::get_if<AdjustmentRefusal>(&ordered)) refused(*no);
    auto one = std::get<Adjustment>(std::move(ordered));
    if (one.state != "waiting" || one.ordered != now) return one;  // it was there before
    if (one.amount <= front.second_person_above) {
        if (const auto no = adjustments.post(one.id, order.by, "", now)) refused(*no);
        one = adjustments.find(order.tenant, one.id).value();
    }
    note(connection, order.tenant, one, verb_of(one), order.by, order.reason, now);
    transaction.commit();
    return one;
}

Adjustment decide_adjustment(database::Connection& connection, const AdjustmentDecision& decision,
                             Instant now) {
    database::Transaction transaction{connection};
    Adjustments adjustments{connection};
    const auto one = adjustments.find(decision.tenant, decision.id);
    if (!one || one->state != "waiting") refused(AdjustmentRefusal::decided);
    if (decision.yes) {
        if (one->ordered_by == decision.by)
            throw AdjustmentError(AdjustmentRefusal::decided,
                                  "Another person than " + one->ordered_by + " has to agree: he ordered it.");
        if (const auto no = adjustments.post(decision.id, decision.by, decision.why, now)) refused(*no);
    } else if (!adjustments.refuse(decision.id, decision.by, decision.why, now)) {
        refused(AdjustmentRefusal::decided);
    }
    auto after = adjustments.find(decision.tenant, decision.id).value();
    note(connection, decision.tenant, after, verb_of(after) + (decision.yes ? " approved" : " refused"),
         decision.by, decision.why, now);
    transaction.commit();
    return after;
}

std::string adjustment_json(const Adjustment& one) {
    console::Json json;
    json.open_object().field("adjustment", one.id).field("kind", one.kind).field("state", one.state);
    json.field("account", one.account).field("customer", one.customer).field("debt", one.debt);
    json.field("amount", one.amount.minor).field("reference", one.reference).field("reason", one.reason);
    json.field("ordered_by", one.ordered_by)
        .field("ordered", one.ordered)
        .field("decided_by", one.decided_by);
    json.field("decided_why", one.decided_why).field("decided", one.decided).key("sale");
    one.sale ? json.value(one.sale->value) : json.null();
    return json.close_object().take();
}

}  // namespace wattmesh::headend::vending
