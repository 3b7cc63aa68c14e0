// Debts that are written off and balances that are paid out, of accounts: for supervisors.
#include "headend/vending/adjust.h"
#include "headend/vending/api.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::JsonBody;
using console::Problem;
using console::Request;
using database::AdjustmentRefusal;
using database::Adjustments;
using database::Right;
constexpr std::size_t number_size = 64;
constexpr int adjustments_max = 200;

[[noreturn]] void refuse(const AdjustmentError& error) {
    const bool unknown =
        error.refusal == AdjustmentRefusal::no_account || error.refusal == AdjustmentRefusal::no_debt;
    const int status = unknown ? 404 : error.refusal == AdjustmentRefusal::key_reused ? 422 : 409;
    throw Problem{status, "Not booked", error.what(), 0, std::string{to_string(error.refusal)}};
}

Answer answer(const database::Adjustment& one) {
    return {.status = one.state == "waiting" ? 202 : 200, .body = adjustment_json(one)};
}

Answer ordered(Counter& counter, const Request& request, database::AdjustmentOrder order,
               const JsonBody& body) {
    order.tenant = request.caller->user.tenant;
    order.account = body.text("account", number_size);
    order.reason = body.text("reason", 200);
    order.key = key_of_order(request);
    order.by = request.caller->name();
    auto connection = counter.context.pool.lease();
    try {
        return answer(order_adjustment(*connection, order, counter.front, counter.seller.now()));
    } catch (const AdjustmentError& error) {
        refuse(error);
    }
}

Answer write_off(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    database::AdjustmentOrder order;
    order.debt = body.text("debt", number_size);
    if (body.has("amount")) order.amount = {body.number_or("amount", 1, amount_max, 1)};
    return ordered(counter, request, std::move(order), body);
}

Answer pay_out(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    database::AdjustmentOrder order;
    order.reference = body.text("reference", number_size);
    return ordered(counter, request, std::move(order), body);
}

/// Of a debt or balance above the limit: by another person than the one who ordered it, whose programs count
/// as himself.
Answer decide(Counter& counter, const Request& request, bool yes) {
    const auto id = console::parse_id(request.captured.at("id"));
    const auto& caller = *request.caller;
    const JsonBody body{request.body};
    const AdjustmentDecision decision{.tenant = caller.user.tenant,
                                      .id = id.value_or(0),
                                      .yes = yes,
                                      .by = caller.name(),
                                      .why = body.text("reason", 200)};
    auto connection = counter.context.pool.lease();
    const auto before = Adjustments{*connection}.find(decision.tenant, decision.id);
    if (yes && before && caller.is(before->ordered_by))
        throw Problem{403, "Another person is needed",
                      "What you ordered yourself is approved by another supervisor.", 0, "second_person"};
    try {
        return answer(decide_adjustment(*connection, decision, counter.seller.now()));
    } catch (const AdjustmentError& error) {
        refuse(error);
    }
}
Answer approve(Counter& counter, Request& request) { return decide(counter, request, true); }
Answer turn_down(Counter& counter, Request& request) { return decide(counter, request, false); }

void write(Json& json, const std::vector<database::Adjustment>& adjustments) {
    json.open_array();
    for (const auto& one : adjustments) json.raw(adjustment_json(one));
    json.close_array();
}

Answer list(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    Json json;
    json.open_object().field("second_person_above", counter.front.second_person_above.minor).key("items");
    write(json, Adjustments{*connection}.list(request.caller->user.tenant, "", adjustments_max));
    return {.body = json.close_object().take()};
}

Answer account(Counter& counter, Request& request) {
    const auto number = request.text("number");
    const auto tenant = request.caller->user.tenant;
    auto connection = counter.context.pool.lease();
    Adjustments adjustments{*connection};
    const auto found = adjustments.standing(tenant, number, counter.seller.now());
    if (!found) throw Problem{404, "No such account", "There is no account '" + number + "' here."};
    Json json;
    json.open_object().field("account", found->number).field("customer", found->customer);
    json.field("address", found->address).key("balance");
    found->balance ? json.value(found->balance->minor) : json.null();
    json.key("no_pay_out");
    found->no_pay_out ? json.value(std::string{explain(*found->no_pay_out)}) : json.null();
    json.key("debts").open_array();
    for (const auto& debt : found->debts)
        json.open_object()
            .field("name", debt.name)
            .field("recovery", debt.recovery)
            .field("original", debt.original.minor)
            .field("balance", debt.balance.minor)
            .field("held", debt.held)
            .close_object();
    json.close_array().key("adjustments");
    write(json, adjustments.list(tenant, found->number, adjustments_max));
    return {.body = json.close_object().take()};
}

}  // namespace

void add_adjustment_routes(std::vector<console::Route>& routes, Counter& counter) {
    add_route(routes, counter, "GET", "/api/vend/accounts", Right::vend_manage, account);
    add_route(routes, counter, "GET", "/api/vend/adjustments", Right::vend_manage, list);
    add_route(routes, counter, "POST", "/api/vend/write-offs", Right::vend_manage, write_off);
    add_route(routes, counter, "POST", "/api/vend/pay-outs", Right::vend_manage, pay_out);
    add_route(routes, counter, "POST", "/api/vend/adjustments/{id}/approve", Right::vend_manage, approve);
    add_route(routes, counter, "POST", "/api/vend/adjustments/{id}/refuse", Right::vend_manage, turn_down);
}

}  // namespace wattmesh::headend::vending
