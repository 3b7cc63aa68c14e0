// What a tender would buy, or units would cost: refused where the sale would be.
#include "headend/vending/seller.h"

namespace wattmesh::headend::vending {

Objection Seller::credit_objection(const database::Vendor& vendor) const {
    return {Reason::vendor_credit, "The credit of " + vendor.name + " does not suffice for this sale."};
}

std::variant<database::SaleGround, Objection> Seller::quotable(database::Connection& connection,
                                                               const database::VendTerminal& terminal,
                                                               const sts::MeterPan& meter) {
    auto grounds = ground(connection, terminal, meter, now());
    if (const auto* found = std::get_if<database::SaleGround>(&grounds))
        if (!found->counted)
            if (auto no = key_objection(found->meter)) return std::move(*no);
    return grounds;
}

std::variant<pricing::Quote, Objection> Seller::quote(database::Connection& connection,
                                                      const database::VendTerminal& terminal,
                                                      const sts::MeterPan& meter, pricing::Money tender) {
    auto grounds = quotable(connection, terminal, meter);
    if (auto* no = std::get_if<Objection>(&grounds)) return std::move(*no);
    const auto& found = std::get<database::SaleGround>(grounds);
    const auto& tariff = this->tariff(connection, found.tariff);
    if (found.counted) {
        auto credited = quote_credit(tariff, terminal.vendor.fee, found, tender);
        const bool suffices = terminal.vendor.credit - tender >= terminal.vendor.credit_floor;
        if (!suffices && std::holds_alternative<pricing::Quote>(credited))
            return credit_objection(terminal.vendor);
        return credited;
    }
    auto priced = pricing::quote(tariff, terminal.vendor.fee, found.standing, tender);
    if (const auto* refusal = std::get_if<pricing::Refusal>(&priced))
        return tender_objection(tariff, terminal.vendor.fee, found.standing, *refusal);
    if (terminal.vendor.credit - tender < terminal.vendor.credit_floor)
        return credit_objection(terminal.vendor);
    return std::get<pricing::Quote>(std::move(priced));
}

std::variant<pricing::Quote, Objection> Seller::quote(database::Connection& connection,
                                                      const database::VendTerminal& terminal,
                                                      const sts::MeterPan& meter, pricing::Tenths units) {
    auto grounds = quotable(connection, terminal, meter);
    if (auto* no = std::get_if<Objection>(&grounds)) return std::move(*no);
    const auto& found = std::get<database::SaleGround>(grounds);
    if (found.counted) return units_are_not_sold(found);
    const auto& tariff = this->tariff(connection, found.tariff);
    const auto tender = pricing::least_tender(tariff, terminal.vendor.fee, found.standing, units);
    if (!tender) return Objection{Reason::tender, "So many units cannot be sold at once."};
    if (terminal.vendor.credit - *tender < terminal.vendor.credit_floor)
        return credit_objection(terminal.vendor);
    return std::get<pricing::Quote>(pricing::quote(tariff, terminal.vendor.fee, found.standing, *tender));
}

}  // namespace wattmesh::headend::vending
