#pragma once
#include <variant>

#include "headend/vending/pricing/tariff.h"

namespace wattmesh::headend::vending::pricing {

/// credit: what goes to an account that the server counts.
enum class LineKind : std::uint8_t { fee, charge, debt, energy, levy, tax, rounding, credit };
std::string_view to_string(LineKind kind);

/// One line of a receipt.
struct Line {
    LineKind kind{};
    std::string name{};
    Money amount;
    Tenths units{};  ///< of energy
    Price price{};   ///< of energy, and of a levy for units
    Money base{};    ///< what a share was taken of: taxes, levies
    Share share{};
    DebtId debt{};
    Money balance{};  ///< of a debt or an account, after this
    friend bool operator==(const Line&, const Line&) = default;
};

/// What a tender buys. The lines' amounts are the tender.
struct Quote {
    TariffVersionId tariff;
    Money tender;
    Tenths units, free_units;
    std::vector<Line> lines;
    friend bool operator==(const Quote&, const Quote&) = default;
    Money sum(LineKind kind) const;
};

enum class Refusal : std::uint8_t {
    tender_too_small,  ///< below the tariff's least tender, or nothing is left for a tenth of a unit
    tender_too_large,
    too_many_units,  ///< more than a token carries
};
std::string_view to_string(Refusal refusal);
using Answer = std::variant<Quote, Refusal>;

/// What a tender buys: first the fee, then charges and debts, then as many tenths of units as the rest pays
/// for with their levies and taxes; what does not pay for another tenth is the rounding line. `tariff` has no
/// fault.
Answer quote(const Tariff& tariff, const Fee& fee, const Standing& standing, Money tender);

/// The least tender that buys `units`: quote() of it has that many, or more where one coin buys several
/// tenths; quote() of one coin less has fewer. Nothing when the tariff takes no such tender.
std::optional<Money> least_tender(const Tariff& tariff, const Fee& fee, const Standing& standing,
                                  Tenths units);

/// What a tender adds to an account with `balance` whose use the server prices: fee, charges and debts come
/// first, as in quote(); the rest is its last line, credit, and buys no units yet.
Answer credit(const Tariff& tariff, const Fee& fee, const Standing& standing, Money tender, Money balance);
/// The least tender that adds anything. Nothing when the tariff takes no such tender.
std::optional<Money> least_credit(const Tariff& tariff, const Fee& fee, const Standing& standing);

/// What the first `used` units of a month cost, of which `free` are free: energy, levies and taxes.
std::vector<Line> month_lines(const Tariff& tariff, Tenths free, Tenths used);

}  // namespace wattmesh::headend::vending::pricing
