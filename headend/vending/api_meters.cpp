#include <algorithm>

#include "headend/database/read_counter.h"
#include "headend/vending/api.h"
#include "headend/vending/receipt.h"
#include "protocol/sts/amount.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::JsonBody;
using console::Problem;
using console::Request;
using database::Right;
using database::SaleKind;
constexpr pricing::Tenths free_units_max{10'000};  ///< one free issue; more is a matter for several people

database::SaleGround wanted_meter(database::Connection& connection, const Request& request, Instant now) {
    const auto pan = pan_of(request.captured.at("number"));
    auto found = database::Sales{connection}.ground(pan, now);
    if (!found || found->meter.tenant != request.caller->user.tenant)
        refuse({Reason::unknown_meter, "There is no meter " + std::string{pan.meter_number()} + " here."});
    return std::move(*found);
}

Answer show(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto found = wanted_meter(*connection, request, counter.seller.now());
    const auto& meter = found.meter;
    Json json;
    json.open_object()
        .field("meter", std::string{meter.pan.meter_number()})
        .field("blocked", meter.blocked_why);
    json.field("vending_key", to_string(key_of(meter).vending_key))
        .field("tariff_index", static_cast<int>(meter.tariff_index));
    json.field("account", found.account_number)
        .field("customer", shown(request, found.customer))
        .field("address", shown(request, found.address));
    const auto past = database::CounterReader{*connection}.past(meter.id);
    json.field("key_changed", past.key_changed).key("last_purchase");
    if (past.bought)
        json.open_object()
            .field("at", *past.bought)
            .field("tender", past.tender.minor)
            .field("units", units_text(past.units))
            .close_object();
    else
        json.null();
    if (found.account) {
        const auto& tariff = counter.seller.tariff(*connection, found.tariff);
        json.field("tariff", tariff.name)
            .field("tender_min", tariff.tender_min.minor)
            .field("tender_max", std::min(tariff.tender_max.minor, amount_max));
    }
    json.field("bought_this_month", units_text(found.standing.used))
        .field("free_units_due", units_text(found.standing.free_units));
    json.key("balance");  // of the account, where the server counts what the meter uses
    found.counted ? json.value(found.counted->minor) : json.null();
    json.key("debts").open_array();
    for (const auto& debt : found.standing.debts)
        json.open_object()
            .field("debt", debt.id.value)
            .field("name", debt.name)
            .field("recovery", std::string{to_string(debt.recovery)})
            .field("balance", debt.balance.minor)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

/// The last receipts; of other vendors' sales for supervisors only.
Answer tokens(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto found = wanted_meter(*connection, request, counter.seller.now());
    const auto own = database::Vendors{*connection}.vendor_of(request.caller->user.id);
    Json json;
    json.open_object().key("receipts").open_array();
    for (const auto& sale :
         database::Sales{*connection}.of_meter(found.meter.id, request.number("last", 3, 1, 50))) {
        if (!request.caller->may(Right::vend_manage) && own != sale.vendor) continue;
        const auto reply = counter.seller.stored(sale);
        if (!reply) continue;
        counted(counter, *connection, request, sale);
        json.raw(reply->body);
    }
    return {.body = json.close_array().close_object().take()};
}

/// What a supervisor orders goes to the audit log before it is done.
Answer ordered(Counter& counter, database::Connection& connection, const Order& order,
               const std::string& what) {
    database::AuditRecord record{{},
                                 order.operator_,
                                 "vend " + std::string{to_string(order.kind)},
                                 "meter " + std::string{order.meter.meter_number()}};
    record.detail = what + ", key " + order.key;
    record.reason = order.reason;
    record.tenant = order.terminal.vendor.tenant;
    counter.context.audit(connection, record);
    return sell(counter, connection, order);
}

Order supervised(database::Connection& connection, const Request& request, const JsonBody& body,
                 SaleKind kind) {
    auto order = order_of(connection, request, body, pan_of(request.captured.at("number")), kind);
    order.reason = body.text("reason", 200);
    order.pay_type = "none";
    return order;
}

Answer free_issue(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    auto order = supervised(*connection, request, body, SaleKind::free);
    order.units = units_of(body.text("units", 16));
    if (order.units > free_units_max)
        refuse({Reason::not_possible, "At most " + units_text(free_units_max) + " units are given at once."});
    return ordered(counter, *connection, order, units_text(order.units) + " units");
}

/// The month's free units, for a customer who buys nothing now.
Answer claim(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    auto order = order_of(*connection, request, body, pan_of(request.captured.at("number")), SaleKind::claim);
    order.pay_type = "none";
    return sell(counter, *connection, order);
}

Answer transfer(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    auto order = supervised(*connection, request, body, SaleKind::transfer);
    order.units = units_of(body.text("units", 16));
    order.from = pan_of(body.text("from", 64));
    return ordered(counter, *connection, order,
                   units_text(order.units) + " units from meter " + std::string{order.from->meter_number()});
}

Answer engineering(Counter& counter, Request& request) {
    using sts::Command;
    const JsonBody body{request.body};
    const auto word = body.text("command", 32);
    sts::Management command{.command = Command::clear_tamper, .tid = {}};
    if (word == "clear_credit") {
        command.command = Command::clear_credit;
        command.value = sts::every_register;
    } else if (word == "power_limit" || word == "phase_unbalance") {
        const auto field =
            sts::encode_units(static_cast<std::uint64_t>(body.number_or("watts", 0, 18'000'000, 0)));
        command.command = word == "power_limit" ? Command::power_limit : Command::phase_unbalance;
        command.value = field.value_or(0);
    } else if (word != "clear_tamper") {
        throw Problem{400, "Bad request",
                      "'command' must be clear_tamper, clear_credit (it destroys paid units), power_limit or "
                      "phase_unbalance."};
    }
    auto connection = counter.context.pool.lease();
    auto order = supervised(*connection, request, body, SaleKind::engineering);
    order.command = command;
    return ordered(counter, *connection, order, word);
}

Answer key_change(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    const KeyTarget target{{{static_cast<std::uint32_t>(body.number_or("supply_group", 0, 999'999, -1))},
                            static_cast<std::uint8_t>(body.number_or("key_revision", 1, 9, 1))},
                           static_cast<std::uint8_t>(body.number_or("tariff_index", 0, 99, 1))};
    if (!body.has("supply_group")) throw Problem{400, "Bad request", "'supply_group' is missing."};
    auto connection = counter.context.pool.lease();
    auto order = supervised(*connection, request, body, SaleKind::key_change);
    order.target = target;
    return ordered(counter, *connection, order,
                   "to " + to_string(target.vending_key) + " index " + std::to_string(target.tariff_index));
}

/// Why a meter does not take a token, or what it is worth.
Answer verify(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    const auto pan = pan_of(body.text("meter", 64));
    std::string digits;
    for (const char c : body.text("token", 64))
        if (c != ' ' && c != '-') digits += c;
    const auto token = sts::parse_token(digits);
    auto connection = counter.context.pool.lease();
    const auto meter = database::Customers{*connection}.meter(pan);
    if (!meter || meter->tenant != request.caller->user.tenant)
        refuse({Reason::unknown_meter, "There is no such meter here."});
    Json json;
    json.open_object().field("meter", std::string{pan.meter_number()});
    const auto told = [&](std::string_view result, std::string_view words) {
        json.field("result", std::string{result}).field("words", std::string{words});
    };
    if (!token) {
        told("format", "A token has 20 digits.");
        return {.body = json.close_object().take()};
    }
    const auto looked = counter.module.inspect(*token, key_of(*meter));
    if (const auto* refusal = std::get_if<security::ModuleRefusal>(&looked)) {
        told(to_string(*refusal), explain(*refusal));
        return {.body = json.close_object().take()};
    }
    const auto& opening = std::get<sts::Opening>(looked);
    if (opening.refusal == sts::Refusal::none)
        told("good", "This token is for this meter.");
    else
        told(to_string(opening.refusal), explain(opening.refusal));
    const auto* credit = opening.content ? std::get_if<sts::Credit>(&*opening.content) : nullptr;
    if (credit != nullptr) {
        json.field("units", sts::tenths_text(sts::decode_units(credit->amount)));
        json.field("made", sts::instant_of(meter->base, credit->tid));
        const auto sale = database::Sales{*connection}.of_token(meter->id, meter->base, credit->tid);
        sale ? json.field("sale", sale->value) : json.key("sale").null();  // none: nobody here sold it
    }
    return {.body = json.close_object().take()};
}

Answer health(Counter& counter, Request&) {
    auto connection = counter.context.pool.lease();
    const auto now = counter.seller.now();
    Json json;
    json.open_object().field("ready", counter.ready.load());
    json.field("sales_without_end", static_cast<int>(database::Sales{*connection}.open(now, 1'000).size()));
    json.key("keys").open_array();
    for (const auto& key : counter.module.keys()) {
        json.open_object()
            .field("key", to_string(key.terms.name))
            .field("tokens", static_cast<std::int64_t>(key.tokens));
        json.field("units", sts::tenths_text(key.units))
            .field("units_limit", sts::tenths_text(key.terms.units_limit))
            .key("alarms")
            .open_array();
        for (const auto alarm : alarms_of(key, now)) json.value(std::string{to_string(alarm)});
        json.close_array().close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

}  // namespace

void add_meter_routes(std::vector<console::Route>& routes, Counter& counter) {
    add_route(routes, counter, "GET", "/api/vend/meters/{number}", Right::vend, show);
    add_route(routes, counter, "GET", "/api/vend/meters/{number}/tokens", Right::vend, tokens);
    add_route(routes, counter, "POST", "/api/vend/meters/{number}/free-issues", Right::vend_manage,
              free_issue);
    add_route(routes, counter, "POST", "/api/vend/meters/{number}/free-units", Right::vend, claim);
    add_route(routes, counter, "POST", "/api/vend/meters/{number}/transfers", Right::vend_manage, transfer);
    add_route(routes, counter, "POST", "/api/vend/meters/{number}/engineering-tokens", Right::vend_manage,
              engineering);
    add_route(routes, counter, "POST", "/api/vend/meters/{number}/key-changes", Right::vend_manage,
              key_change);
    add_route(routes, counter, "POST", "/api/vend/tokens/verify", Right::vend, verify);
    add_route(routes, counter, "GET", "/api/vend/health", Right::vend_manage, health);
}

}  // namespace wattmesh::headend::vending
