// Sales to meters whose use the server counts: what is paid goes to the account, and no token is made.
#include "headend/vending/seller.h"

namespace wattmesh::headend::vending {

using database::SaleKind;

std::optional<Objection> Seller::price_credit(database::Connection& connection, const Order& order,
                                              Draft& draft) {
    auto priced = quote_credit(tariff(connection, draft.ground.tariff), order.terminal.vendor.fee,
                               draft.ground, order.tender);
    if (auto* no = std::get_if<Objection>(&priced)) return std::move(*no);
    post(connection, order, draft, std::get<pricing::Quote>(priced).lines);
    return std::nullopt;
}

std::variant<pricing::Quote, Objection> Seller::quote_credit(const pricing::Tariff& tariff,
                                                             const pricing::Fee& fee,
                                                             const database::SaleGround& ground,
                                                             pricing::Money tender) const {
    auto priced = pricing::credit(tariff, fee, ground.standing, tender, *ground.counted);
    if (auto* quote = std::get_if<pricing::Quote>(&priced)) return std::move(*quote);
    const auto refusal = std::get<pricing::Refusal>(priced);
    if (refusal == pricing::Refusal::tender_too_small)
        if (const auto least = pricing::least_credit(tariff, fee, ground.standing))
            return Objection{Reason::tender, "The least that adds credit here now is " +
                                                 money_text(ports_.front, *least) + "."};
    return Objection{Reason::tender, "This sum is refused: " + std::string{to_string(refusal)} + "."};
}

std::optional<Objection> Seller::counted_objection(SaleKind kind, const database::SaleGround& ground) {
    if (!ground.counted) return std::nullopt;
    if (kind == SaleKind::free || kind == SaleKind::claim || kind == SaleKind::transfer)
        return units_are_not_sold(ground);
    return std::nullopt;
}

Objection Seller::units_are_not_sold(const database::SaleGround& ground) {
    return {Reason::not_possible,
            "The server counts what account " + ground.account_number +
                " uses, free units included: it takes money, not units. Say an amount."};
}

}  // namespace wattmesh::headend::vending
