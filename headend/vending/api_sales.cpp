#include <charconv>

#include "headend/vending/api.h"
#include "headend/vending/receipt.h"
#include "security/ciphers.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::JsonBody;
using console::Problem;
using console::Request;
using database::Right;
using database::Sale;
using database::SaleKind;
using database::SaleState;
constexpr std::size_t name_size = 64;
/// How long a till may take back by itself what it did not confirm.
constexpr Duration own_reversal = std::chrono::minutes{10};

struct Row {
    Reason reason;
    int status, retry_after_s;
};
constexpr Row rows[] = {
    {Reason::unknown_meter, 404, 0}, {Reason::blocked_meter, 409, 0},     {Reason::no_account, 409, 0},
    {Reason::no_key, 409, 0},        {Reason::terminal_disabled, 403, 0}, {Reason::tender, 422, 0},
    {Reason::vendor_credit, 402, 0}, {Reason::too_many_tokens, 409, 60},  {Reason::key_reused, 422, 0},
    {Reason::busy, 503, 1},          {Reason::module_away, 503, 5},       {Reason::not_possible, 409, 0}};

void require_ready(const Counter& counter) {
    if (!counter.ready)
        throw Problem{
            503, "Not ready",
            "The vending module is being compared with the books. Nothing was sold; try again shortly.", 5,
            "not_ready"};
}

Answer quote(Counter& counter, Request& request) {
    require_ready(counter);
    const JsonBody body{request.body};
    const auto meter = pan_of(body.text("meter", name_size));
    auto connection = counter.context.pool.lease();
    const auto till = till_of(*connection, request, body.text("terminal", name_size));
    auto answer = body.has("units")
                      ? counter.seller.quote(*connection, till, meter, units_of(body.text("units", 16)))
                      : counter.seller.quote(*connection, till, meter, money_of(body, "tender"));
    if (const auto* no = std::get_if<Objection>(&answer)) refuse(*no);
    const auto ground = database::Sales{*connection}.ground(meter, counter.seller.now());
    Json json;
    json.open_object().field("meter", std::string{meter.meter_number()});
    if (ground)
        json.field("customer", shown(request, ground->customer))
            .field("address", shown(request, ground->address));
    write(json, std::get<pricing::Quote>(answer));
    json.field("vendor_credit", till.vendor.credit.minor);
    return {.body = json.close_object().take()};
}

Answer sale(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    auto order = order_of(*connection, request, body, pan_of(body.text("meter", name_size)), SaleKind::sale);
    order.tender = money_of(body, "tender");
    return sell(counter, *connection, order);
}

Answer payment(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    auto order =
        order_of(*connection, request, body, pan_of(body.text("meter", name_size)), SaleKind::payment);
    order.tender = money_of(body, "tender");
    return sell(counter, *connection, order);
}

Answer show(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto sale = wanted_sale(*connection, request);
    Json json;
    json.open_object()
        .field("sale", sale.id.value)
        .field("state", std::string{to_string(sale.state)})
        .field("at", sale.at);
    json.field("operator", sale.operator_)
        .field("confirmed", sale.confirmed)
        .field("copies", sale.copies)
        .key("receipt");
    const auto reply = sale.state == SaleState::issued ? counter.seller.stored(sale) : std::nullopt;
    if (reply && reply->status == 200) {
        counted(counter, *connection, request, sale);
        json.raw(reply->body);
    } else {
        json.null();
    }
    json.key("delivery");
    const auto delivery = database::Deliveries{*connection}.find(sale.id);
    if (delivery)
        write(json, *delivery);
    else
        json.null();
    return {.body = json.close_object().take()};
}

Answer confirm(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto sale = wanted_sale(*connection, request);
    database::Sales{*connection}.confirm(sale.id, counter.seller.now(), request.caller->name());
    return {.status = 204, .body = {}};
}

Answer copy(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto sale = wanted_sale(*connection, request);
    const auto copies =
        database::Sales{*connection}.copy(sale.id, counter.seller.now(), request.caller->name());
    const auto reply = counter.seller.stored(sale);
    if (!copies || !reply)
        throw Problem{
            409, "Nothing to copy",
            "Sale " + std::to_string(sale.id.value) + " is " + std::string{to_string(sale.state)} + "."};
    Json json;
    json.open_object().field("copy", *copies).key("receipt").raw(reply->body).close_object();
    return {.body = json.take()};
}

Answer reverse(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    const auto reason = body.text("reason", 200);
    auto connection = counter.context.pool.lease();
    const auto sale = wanted_sale(*connection, request);
    if (sale.kind == SaleKind::key_change || sale.kind == SaleKind::engineering)
        throw Problem{409, "Not reversed",
                      "What a key change or an engineering token did to the meter is undone by another one, "
                      "not taken back.",
                      0, "not_possible"};
    if (sale.kind == SaleKind::withdrawal || sale.kind == SaleKind::deposit)
        throw Problem{409, "Not reversed", "What a bank moved is moved back by the bank.", 0, "not_possible"};
    const auto now = counter.seller.now();
    const bool given = sale.kind == SaleKind::free || sale.kind == SaleKind::transfer;
    if (given && !request.caller->may(Right::vend_manage))
        throw Problem{403, "Not allowed", "What a supervisor gave is taken back by a supervisor."};
    const bool fresh = !sale.confirmed && sale.copies == 0 && now - sale.at < own_reversal;
    if (!fresh && !request.caller->may(Right::vend_manage))
        throw Problem{
            403, "Not allowed",
            "A sale that was confirmed, copied or is older than ten minutes is reversed by a supervisor."};
    database::Transaction transaction{*connection};
    if (!database::Sales{*connection}.reverse(sale.id, now, request.caller->name(), reason)) {
        const auto delivery = database::Deliveries{*connection}.find(sale.id);
        if (sale.state == SaleState::issued && delivery)
            throw Problem{409, "Not reversed",
                          "Its tokens are at meter " + to_string(delivery->meter) +
                              ", or on their way there: what was bought is used there."};
        throw Problem{
            409, "Not reversed",
            "Sale " + std::to_string(sale.id.value) + " is " + std::string{to_string(sale.state)} + "."};
    }
    database::AuditRecord record{
        {}, request.caller->name(), "sale reversed", "sale " + std::to_string(sale.id.value)};
    record.reason = reason;
    record.before = "issued";
    record.after = "reversed";
    record.tenant = sale.tenant;
    counter.context.audit(*connection, record);
    transaction.commit();
    return {.status = 204, .body = {}};
}

void write(Json& json, const database::Shift& shift) {
    json.open_object()
        .field("shift", shift.id.value)
        .field("operator", shift.operator_)
        .field("opened", shift.opened);
    json.field("closed", shift.closed);
    if (shift.closed)
        json.field("expected", shift.expected.minor)
            .field("counted", shift.counted.minor)
            .field("difference", shift.counted.minor - shift.expected.minor);
    json.close_object();
}

Answer open_shift(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    const auto till = till_of(*connection, request, body.text("terminal", name_size));
    database::Shifts shifts{*connection};
    if (!shifts.open(till.id, request.caller->name(), counter.seller.now()))
        throw Problem{409, "A shift is open", "Close the open shift of terminal " + till.name + " first."};
    Json json;
    write(json, shifts.current(till.id).value());
    return {.status = 201, .body = json.take()};
}

Answer close_shift(Counter& counter, Request& request) {
    const JsonBody body{request.body};
    auto connection = counter.context.pool.lease();
    const auto till = till_of(*connection, request, body.text("terminal", name_size));
    const auto shift =
        database::Shifts{*connection}.close(till.id, money_of(body, "counted"), counter.seller.now());
    if (!shift) throw Problem{409, "No shift is open", "Terminal " + till.name + " has no open shift."};
    Json json;
    write(json, *shift);
    return {.body = json.take()};
}

}  // namespace

void refuse(const Objection& objection) {
    for (const auto& row : rows)
        if (row.reason == objection.reason)
            throw Problem{row.status, "Not sold", objection.words, row.retry_after_s,
                          std::string{to_string(row.reason)}};
    throw Problem{500, "Something went wrong", objection.words};
}

Sale wanted_sale(database::Connection& connection, const Request& request) {
    const auto id = console::parse_id(request.captured.at("id"));
    auto sale = id ? database::Sales{connection}.find(database::SaleId{*id}) : std::nullopt;
    const auto& caller = *request.caller;
    const bool sees = sale && sale->tenant == caller.user.tenant &&
                      (caller.may(Right::vend_manage) ||
                       database::Vendors{connection}.vendor_of(caller.user.id) == sale->vendor);
    if (!sees) throw Problem{404, "No such sale", "There is no sale with this number here."};
    return std::move(*sale);
}

database::VendTerminal till_of(database::Connection& connection, const Request& request,
                               const std::string& name) {
    database::Vendors vendors{connection};
    auto terminal = vendors.terminal(name);
    const auto& caller = *request.caller;
    const bool uses =
        terminal && terminal->vendor.tenant == caller.user.tenant &&
        (caller.may(Right::vend_manage) || vendors.vendor_of(caller.user.id) == terminal->vendor.id);
    if (!uses) throw Problem{403, "Not your terminal", "You may not sell at a terminal '" + name + "'."};
    return std::move(*terminal);
}

sts::MeterPan pan_of(const std::string& text) {
    const auto parsed = sts::MeterPan::parse(text);
    if (const auto* fault = std::get_if<sts::PanFault>(&parsed))
        throw Problem{400, "Not a meter's number", std::string{explain(*fault)}};
    return std::get<sts::MeterPan>(parsed);
}

pricing::Tenths units_of(const std::string& text) {
    const Problem wrong{400, "Bad request", "'units' is a number like \"50\" or \"12.5\", above zero."};
    const auto dot = text.find('.');
    const auto digits = dot == std::string::npos ? text + "0" : text.substr(0, dot) + text.substr(dot + 1);
    if (dot != std::string::npos && dot + 2 != text.size()) throw wrong;
    std::int64_t tenths = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tenths);
    if (error != std::errc{} || end != digits.data() + digits.size() || tenths <= 0) throw wrong;
    return {tenths};
}

pricing::Money money_of(const JsonBody& body, const char* name) {
    return {body.number_or(name, 0, amount_max, 0)};
}

const std::string& key_of_order(const Request& request) {
    const auto& key = request.idempotency_key;
    if (key.empty() || key.size() > name_size ||
        key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") !=
            std::string::npos)
        throw Problem{400, "Idempotency-Key",
                      "Send the header Idempotency-Key: 1 to 64 letters, digits and -_.: of your own, "
                      "another for each order."};
    return key;
}

Order order_of(database::Connection& connection, const Request& request, const JsonBody& body,
               const sts::MeterPan& meter, SaleKind kind) {
    const auto& key = key_of_order(request);
    const auto pay_type = body.text_or("pay_type", 16, "cash");
    if (pay_type != "cash" && pay_type != "card")
        throw Problem{400, "Bad request", "'pay_type' must be cash or card."};
    const auto digest = security::sha256(as_bytes(request.path + "\n" + request.body));
    return {.kind = kind,
            .terminal = till_of(connection, request, body.text("terminal", name_size)),
            .operator_ = request.caller->name(),
            .key = key,
            .body_hash = {digest.begin(), digest.end()},
            .meter = meter,
            .tender = {},
            .units = {},
            .pay_type = pay_type,
            .reason = body.text_or("reason", 200, "")};
}

Answer sell(Counter& counter, database::Connection& connection, const Order& order) {
    require_ready(counter);
    try {
        auto answer = counter.seller.sell(connection, order);
        if (const auto* no = std::get_if<Objection>(&answer)) refuse(*no);
        auto& reply = std::get<Reply>(answer);
        return {.status = reply.status,
                .body = std::move(reply.body),
                .type = reply.status == 200 ? "application/json" : "application/problem+json"};
    } catch (const database::DatabaseError& error) {
        if (error.trouble() == database::Trouble::refused) throw;
        counter.context.log("warning", std::string{"vending: a sale stopped half way: "} + error.what());
        throw Problem{503, "Not known",
                      "The database did not answer. Ask again with the same Idempotency-Key: it brings the "
                      "token if the sale was stored.",
                      3, "not_known"};
    }
}

void add_route(std::vector<console::Route>& routes, Counter& counter, const char* method, const char* pattern,
               Right right, Handle handle) {
    routes.push_back({.method = method,
                      .pattern = pattern,
                      .right = right,
                      .handle = [&counter, handle](Request& request) {
                          try {
                              // Tills, tariffs and the ledger are the whole tenant's.
                              if (request.scope.areas != "*")
                                  throw Problem{403, "Not allowed",
                                                "Your role holds in some areas only, and vending knows no "
                                                "areas: have the role given without one.",
                                                0, "no_areas"};
                              return handle(counter, request);
                          } catch (Problem& problem) {
                              // For a program that may have asked through somebody who answers 400 too.
                              if (problem.status == 400 && problem.reason.empty())
                                  problem.reason = "bad_request";
                              throw;
                          }
                      }});
}

void add_sale_routes(std::vector<console::Route>& routes, Counter& counter) {
    add_route(routes, counter, "POST", "/api/vend/quotes", Right::vend, quote);
    add_route(routes, counter, "POST", "/api/vend/sales", Right::vend, sale);
    add_route(routes, counter, "POST", "/api/vend/payments", Right::vend, payment);
    add_route(routes, counter, "GET", "/api/vend/sales/{id}", Right::vend, show);
    add_route(routes, counter, "POST", "/api/vend/sales/{id}/confirm", Right::vend, confirm);
    add_route(routes, counter, "POST", "/api/vend/sales/{id}/copy", Right::vend, copy);
    add_route(routes, counter, "POST", "/api/vend/sales/{id}/reverse", Right::vend, reverse);
    add_route(routes, counter, "POST", "/api/vend/shifts", Right::vend, open_shift);
    add_route(routes, counter, "POST", "/api/vend/shifts/close", Right::vend, close_shift);
}

}  // namespace wattmesh::headend::vending
