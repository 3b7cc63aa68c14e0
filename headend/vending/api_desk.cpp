#include "headend/database/read_counter.h"
#include "headend/vending/api.h"
#include "headend/vending/receipt.h"
#include "headend/vending/receipt_paper.h"

namespace wattmesh::headend::vending {
namespace {

using console::Answer;
using console::Json;
using console::Problem;
using console::Request;
using database::Right;
constexpr int tills_max = 200, found_max = 10;

void write_till(Json& json, const database::Till& till) {
    const auto& terminal = till.terminal;
    json.open_object()
        .field("terminal", terminal.name)
        .field("vendor", terminal.vendor.name)
        .field("disabled", terminal.disabled || terminal.vendor.disabled);
    json.field("available", (terminal.vendor.credit - terminal.vendor.credit_floor).minor).key("shift");
    if (till.shift)
        json.open_object()
            .field("shift", till.shift->id.value)
            .field("operator", till.shift->operator_)
            .field("opened", till.shift->opened)
            .close_object();
    else
        json.null();
    json.close_object();
}

/// What a page of the counter begins with: the tills that the caller may use, and how money is written.
Answer desk(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto& caller = *request.caller;
    const auto& front = counter.front;
    const bool all = caller.may(Right::vend_manage);
    const auto own = database::Vendors{*connection}.vendor_of(caller.user.id);
    Json json;
    json.open_object().field("ready", counter.ready.load()).field("utility", front.utility);
    json.field("address", front.address)
        .field("tax_number", front.tax_number)
        .field("help_line", front.help_line);
    json.field("currency", front.currency)
        .field("decimals", front.decimals)
        .field("simulated_ports", front.simulated_ports);
    json.key("tills").open_array();
    if (own || all)
        for (const auto& till : database::CounterReader{*connection}.tills(
                 caller.user.tenant, all ? std::nullopt : own, tills_max))
            write_till(json, till);
    return {.body = json.close_array().close_object().take()};
}

/// Customers by name or number; strangers' names are masked for who may not manage.
Answer search(Counter& counter, Request& request) {
    const auto words = request.text("search");
    if (words.size() < 3 || words.size() > 64)
        throw Problem{400, "Bad request", "Give a number, or at least three letters of the customer's name."};
    auto connection = counter.context.pool.lease();
    const auto found =
        database::CounterReader{*connection}.find(request.caller->user.tenant, words, found_max + 1);
    Json json;
    json.open_object().key("items").open_array();
    for (std::size_t i = 0; i < found.size() && i < found_max; ++i)
        json.open_object()
            .field("meter", found[i].meter)
            .field("account", found[i].account)
            .field("customer", shown(request, found[i].customer))
            .field("address", shown(request, found[i].address))
            .close_object();
    json.close_array().field("more", found.size() > found_max);
    return {.body = json.close_object().take()};
}

/// The newest sales of a till, for copies and reversals.
Answer sold(Counter& counter, Request& request) {
    auto connection = counter.context.pool.lease();
    const auto till = till_of(*connection, request, request.text("terminal"));
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& line :
         database::CounterReader{*connection}.sold(till.id, request.number("last", 20, 1, 200))) {
        json.open_object().field("sale", line.id.value).field("kind", line.kind).field("state", line.state);
        json.field("at", line.at).field("meter", line.meter).field("tender", line.tender.minor);
        json.field("units", units_text(line.units)).field("free_units", units_text(line.free_units));
        json.field("pay_type", line.pay_type).field("operator", line.operator_);
        json.field("confirmed", line.confirmed).field("copies", line.copies).key("delivery");
        line.delivery.empty() ? json.null() : json.value(line.delivery);
        json.close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

/// The receipt for the customer's hand. What was confirmed or copied before is marked as a copy.
Answer paper(Counter& counter, Request& request) {
    const auto form = request.text("as", "pdf");
    if (form != "pdf" && form != "sms") throw Problem{400, "Bad request", "'as' must be pdf or sms."};
    auto connection = counter.context.pool.lease();
    const auto sale = wanted_sale(*connection, request);
    const auto reply = sale.state == database::SaleState::issued ? counter.seller.stored(sale) : std::nullopt;
    if (!reply || reply->status != 200)
        throw Problem{
            409, "No receipt",
            "Sale " + std::to_string(sale.id.value) + " is " + std::string{to_string(sale.state)} + "."};
    const auto copies = counted(counter, *connection, request, sale);
    if (form == "sms")
        return {.body = sms_text(counter.front, reply->body), .type = "text/plain; charset=utf-8"};
    const auto pdf = receipt_pdf(counter.front, reply->body, copies);
    return {.body = {pdf.begin(), pdf.end()},
            .type = "application/pdf",
            .headers = {{"Content-Disposition",
                         "inline; filename=\"receipt-" + std::to_string(sale.id.value) + ".pdf\""}}};
}

}  // namespace

std::optional<int> counted(Counter& counter, database::Connection& connection, const Request& request,
                           const database::Sale& sale) {
    if (!sale.confirmed && sale.copies == 0) return std::nullopt;
    return database::Sales{connection}.copy(sale.id, counter.seller.now(), request.caller->name());
}

std::string shown(const Request& request, const std::string& text) {
    return request.caller->may(Right::vend_manage) ? text : masked(text);
}

void add_desk_routes(std::vector<console::Route>& routes, Counter& counter) {
    add_route(routes, counter, "GET", "/api/vend/desk", Right::vend, desk);
    add_route(routes, counter, "GET", "/api/vend/meters", Right::vend, search);
    add_route(routes, counter, "GET", "/api/vend/sales", Right::vend, sold);
    add_route(routes, counter, "GET", "/api/vend/sales/{id}/receipt", Right::vend, paper);
}

}  // namespace wattmesh::headend::vending
