#include "headend/vending/receipt.h"

#include "headend/vending/token_orders.h"
#include "protocol/sts/amount.h"

namespace wattmesh::headend::vending {

std::string units_text(pricing::Tenths units) {
    return sts::tenths_text(static_cast<std::uint64_t>(units.count));
}

void write(console::Json& json, const pricing::Line& line) {
    using pricing::LineKind;
    json.open_object()
        .field("kind", std::string{to_string(line.kind)})
        .field("name", line.name)
        .field("amount", line.amount.minor);
    if (line.kind == LineKind::energy) json.field("units", units_text(line.units));
    if (line.price.mills > 0) json.field("price_mills", line.price.mills);
    if (line.share.ppm > 0) json.field("base", line.base.minor).field("ppm", line.share.ppm);
    if (line.kind == LineKind::debt) json.field("debt", line.debt.value);
    if (line.kind == LineKind::debt || line.kind == LineKind::credit)
        json.field("balance", line.balance.minor);
    json.close_object();
}

void write(console::Json& json, const pricing::Quote& quote) {
    json.field("tender", quote.tender.minor)
        .field("units", units_text(quote.units))
        .field("free_units", units_text(quote.free_units));
    json.key("lines").open_array();
    for (const auto& line : quote.lines) write(json, line);
    json.close_array();
}

void write(console::Json& json, const database::Delivery& delivery) {
    json.open_object()
        .field("meter", to_string(delivery.meter))
        .field("state", std::string{to_string(delivery.state)})
        .field("detail", delivery.detail);
    json.field("taken", delivery.taken)
        .field("finished", delivery.finished)
        .field("deadline", delivery.deadline);
    json.key("balance");
    if (delivery.balance)
        json.open_object()
            .field("amount", delivery.balance->amount)
            .field("scale", delivery.balance->scale)
            .field("unit", delivery.balance->unit)
            .close_object();
    else
        json.null();
    json.field("relay", delivery.relay);
    json.key("tokens").open_array();
    for (const auto& token : delivery.tokens) json.value(token.result.empty() ? "open" : token.result);
    json.close_array().close_object();
}

namespace {

/// What is on the receipt of a meter that also gets its tokens by itself.
void write_delivery(console::Json& json, DeviceNumber meter) {
    json.key("delivery").open_object().field("meter", to_string(meter));
    json.field(
        "notice",
        "The tokens are also sent to the meter. If supply was off it may come back by itself at any "
        "moment: switch off what must not run unattended. A token that was typed in is not taken twice.");
    json.close_object();
}

/// What is on the receipt instead of a token where the server counts.
void write_account(console::Json& json, const std::vector<database::SaleLine>& lines) {
    for (const auto& [line, debit, credit] : lines) {
        if (line.kind != pricing::LineKind::credit) continue;
        json.key("account").open_object().field("credited", line.amount.minor);
        json.field("balance", line.balance.minor);
        json.field("notice",
                   "There is no token to type in: the credit is in the account. If supply was off it comes "
                   "back by itself at any moment: switch off what must not run unattended.");
        json.close_object();
    }
}

}  // namespace

std::string receipt(const database::Sale& sale, const database::SaleGround& ground,
                    const database::VendTerminal& terminal, const std::string& tariff, const Digits& digits) {
    console::Json json;
    json.open_object()
        .field("sale", sale.id.value)
        .field("kind", std::string{to_string(sale.kind)})
        .field("at", sale.at);
    json.field("vendor", terminal.vendor.name)
        .field("terminal", terminal.name)
        .field("operator", sale.operator_);
    json.key("customer").open_object().field("number", ground.account_number).field("name", ground.customer);
    json.field("address", ground.address).close_object();
    json.field("meter", std::string{ground.meter.pan.meter_number()});
    json.field("tariff", tariff).field("tariff_version", sale.tariff ? sale.tariff->value : std::int64_t{0});
    json.field("tender", sale.tender.minor).field("pay_type", sale.pay_type);
    json.field("units", units_text(sale.units)).field("free_units", units_text(sale.free_units));
    json.key("lines").open_array();
    for (const auto& line : sale.lines) write(json, line.line);
    json.close_array().key("tokens").open_array();
    for (std::size_t i = 0; i < sale.tokens.size() && i < digits.size(); ++i) {
        const auto& token = sale.tokens[i];
        json.open_object().field("kind", token.kind);
        char group[8];
        std::snprintf(group, sizeof group, "%06u", token.supply_group.value);
        json.field("supply_group", std::string{group})
            .field("key_revision", static_cast<int>(token.key_revision));
        json.field("tariff_index", static_cast<int>(token.tariff_index));
        if (const auto units = units_on(token)) json.field("units", units_text(*units));
        json.key("digits").open_array();
        for (const auto& one : digits[i]) json.value(sts::grouped(one));
        json.close_array().close_object();
    }
    json.close_array();
    if (ground.meter.gateway && !sale.tokens.empty()) write_delivery(json, *ground.meter.gateway);
    write_account(json, sale.lines);
    return json.close_object().take();
}

}  // namespace wattmesh::headend::vending
