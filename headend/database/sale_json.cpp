#include "headend/database/sale_json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

#include "headend/database/vend_anchors.h"

namespace wattmesh::headend::database {
namespace {

using Object = Poco::JSON::Object;

template <class Document>
std::string text_of(const Document& document) {
    std::ostringstream out;
    document.stringify(out);
    return out.str();
}

Poco::Int64 whole(std::int64_t number) { return number; }

}  // namespace

std::string row_json(const Sale& sale) {
    Object row;
    row.set("tenant", sale.tenant.value);
    row.set("kind", std::string{to_string(sale.kind)});
    row.set("state", std::string{to_string(sale.state)});
    if (sale.terminal.value != 0) row.set("terminal", sale.terminal.value);
    row.set("key", sale.key);
    row.set("body_hash", "\\x" + to_hex(sale.body_hash));
    row.set("operator", sale.operator_);
    row.set("vendor", sale.vendor.value);
    if (sale.account) row.set("account", whole(sale.account->value));
    if (sale.meter) row.set("meter", whole(sale.meter->value));
    if (sale.from_meter) row.set("from_meter", whole(sale.from_meter->value));
    if (sale.tariff) row.set("tariff_version", whole(sale.tariff->value));
    row.set("at_us", whole(epoch_us(sale.at)));
    row.set("day", day_text(sale.day));
    row.set("tender", whole(sale.tender.minor));
    row.set("pay_type", sale.pay_type);
    row.set("tenths", whole(sale.units.count));
    row.set("free_tenths", whole(sale.free_units.count));
    row.set("counted_tenths", whole(sale.counted.count));
    row.set("charged_before", sale.charged_before.value);
    row.set("reason", sale.reason);
    return text_of(row);
}

std::string lines_json(const Sale& sale) {
    Poco::JSON::Array lines;
    int place = 0;
    for (const auto& [line, debit, credit] : sale.lines) {
        Object row;
        row.set("place", place++);
        row.set("kind", std::string{to_string(line.kind)});
        row.set("name", line.name);
        row.set("amount", whole(line.amount.minor));
        row.set("tenths", whole(line.units.count));
        row.set("price", whole(line.price.mills));
        row.set("base", whole(line.base.minor));
        row.set("ppm", line.share.ppm);
        if (line.kind == pricing::LineKind::debt) row.set("debt", whole(line.debt.value));
        if (line.kind == pricing::LineKind::debt || line.kind == pricing::LineKind::credit)
            row.set("balance", whole(line.balance.minor));
        row.set("debit", whole(debit.value));
        row.set("credit", whole(credit.value));
        lines.add(row);
    }
    return text_of(lines);
}

std::string tokens_json(const Sale& sale) {
    Poco::JSON::Array tokens;
    int place = 0;
    for (const auto& token : sale.tokens) {
        Object row;
        row.set("place", place++);
        row.set("request", token.request);
        row.set("kind", token.kind);
        row.set("supply_group", token.supply_group.value);
        row.set("key_revision", static_cast<int>(token.key_revision));
        row.set("tariff_index", static_cast<int>(token.tariff_index));
        row.set("base_year", year_of(token.base));
        if (token.tid) row.set("tid", token.tid->value);
        row.set("content", token.content);
        tokens.add(row);
    }
    return text_of(tokens);
}

std::string made_json(const std::vector<TokenMade>& made) {
    Poco::JSON::Array tokens;
    for (const auto& token : made) {
        Object row;
        row.set("request", token.request);
        row.set("sequence", whole(static_cast<std::int64_t>(token.sequence)));
        row.set("at", whole(epoch_us(token.at)));
        tokens.add(row);
    }
    return text_of(tokens);
}

std::string parcel_json(const Parcel& parcel) {
    Poco::JSON::Array tokens;
    int place = 0;
    for (const auto& sealed : parcel.sealed) {
        Object row;
        row.set("place", place++);
        row.set("sealed", "\\x" + to_hex(sealed));
        tokens.add(row);
    }
    return text_of(tokens);
}

}  // namespace wattmesh::headend::database
