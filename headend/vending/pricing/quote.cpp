#include "headend/vending/pricing/quote.h"

#include <algorithm>
#include <array>

#include "protocol/sts/amount.h"

namespace wattmesh::headend::vending::pricing {
namespace {

constexpr Tenths units_max{sts::units_max};
constexpr std::int64_t tenth_mills = 10'000;  ///< of a coin: a tenth of a unit at a price of one mill

/// To the nearest coin, a half upwards.
Money coins(std::int64_t parts) { return {(parts + tenth_mills / 2) / tenth_mills}; }

/// What the tender pays before energy. Each step takes from what the one before left, at most all of it, and
/// of one coin more at most one coin more: so what is left never falls when the tender rises, and
/// least_tender() may search by halving.
struct Cascade {
    std::vector<Line> lines;
    Money left;
    bool complete = true;  ///< everything that is due was paid

    void take(Line line, Money due) {
        line.amount = std::min(due, left);
        complete = complete && line.amount == due;
        left -= line.amount;
        if (line.amount > Money{}) lines.push_back(std::move(line));
    }
};

void take_charges(Cascade& cascade, const Tariff& tariff, const Standing& standing) {
    const auto months =
        std::clamp(standing.month.value - standing.charged_until.value, 0, tariff.charge_months_max);
    const Money net{tariff.charge_per_month.minor * months};
    if (net == Money{}) return;
    cascade.take({.kind = LineKind::charge,
                  .name = std::to_string(months) + (months == 1 ? " month" : " months"),
                  .amount = {}},
                 net);
    for (const auto& tax : tariff.taxes)
        if (tax.on_charges)
            cascade.take(
                {.kind = LineKind::tax, .name = tax.name, .amount = {}, .base = net, .share = tax.share},
                share_of(net, tax.share));
}

Money due_of(const Debt& debt, Month month, Money left) {
    switch (debt.recovery) {
        case Recovery::percent:
            return std::min(
                std::clamp(share_below(left, debt.share), std::min(debt.floor, debt.cap), debt.cap),
                std::min(debt.balance, left));
        case Recovery::instalment: {
            const std::int64_t months = std::clamp(month.value - debt.first_month.value + 1, 0, 1'200);
            const Money wanted{std::min(debt.instalment.minor, money_max.minor / 1'200) * months};
            return std::clamp(wanted - (debt.original - debt.balance), Money{}, debt.balance);
        }
        case Recovery::first_of_month:
            return debt.last_month == month ? Money{} : std::min(debt.instalment, debt.balance);
        case Recovery::full:
            return debt.balance;
    }
    return {};
}

void take_debts(Cascade& cascade, const Standing& standing) {
    for (const auto& debt : standing.debts) {
        const auto due = due_of(debt, standing.month, cascade.left);
        cascade.take({.kind = LineKind::debt,
                      .name = debt.name,
                      .amount = {},
                      .debt = debt.id,
                      .balance = debt.balance - std::min(due, cascade.left)},
                     due);
    }
}

Cascade before_energy(const Tariff& tariff, const Fee& fee, const Standing& standing, Money tender) {
    Cascade cascade;
    cascade.left = tender;
    cascade.take({.kind = LineKind::fee, .name = "fee", .amount = {}}, fee.fixed);
    cascade.take(
        {.kind = LineKind::fee, .name = "fee", .amount = {}, .base = cascade.left, .share = fee.share},
        share_below(cascade.left, fee.share));
    if (tariff.debts_before_charges) take_debts(cascade, standing);
    take_charges(cascade, tariff, standing);
    if (!tariff.debts_before_charges) take_debts(cascade, standing);
    return cascade;
}

/// Of the month's steps behind `used`, in ten-thousandths of a coin. `each` is told every step's part.
template <class Each>
std::int64_t walk(const Tariff& tariff, Tenths used, Tenths units, Each&& each) {
    std::int64_t parts = 0;
    auto at = used;
    const auto end = used + units;
    for (const auto& step : tariff.steps) {
        const auto reach = step.up_to ? std::min(*step.up_to, end) : end;
        if (reach <= at) continue;
        const auto bought = reach - at;
        const auto before = coins(parts);
        parts += bought.count * step.price.mills;
        each(step, bought, coins(parts) - before);
        at = reach;
    }
    return parts;
}

Money levy_of(const Levy& levy, Tenths units, Money energy) {
    return coins(units.count * levy.per_unit.mills) + share_of(energy, levy.share);
}

Money energy_of(const Tariff& tariff, Tenths used, Tenths units) {
    return coins(walk(tariff, used, units, [](const Step&, Tenths, Money) {}));
}

Money cost_of(const Tariff& tariff, Tenths used, Tenths units) {
    const auto energy = energy_of(tariff, used, units);
    Money levies, taxes;
    for (const auto& levy : tariff.levies) levies += levy_of(levy, units, energy);
    for (const auto& tax : tariff.taxes)
        taxes += share_of(tax.on_levies ? energy + levies : energy, tax.share);
    return energy + levies + taxes;
}

/// The most tenths whose cost is not above `left`; nothing when a token cannot carry as many.
std::optional<Tenths> units_for(const Tariff& tariff, Tenths used, Money left) {
    Tenths low, high{units_max.count + 1};  // low is paid for, high is not, or beyond a token
    while (high.count - low.count > 1) {
        const Tenths middle{(low.count + high.count) / 2};
        (cost_of(tariff, used, middle) <= left ? low : high) = middle;
    }
    if (low == units_max && left > cost_of(tariff, used, low)) return std::nullopt;
    return low;
}

Tenths used_with_free(const Tariff& tariff, const Standing& standing) {
    return tariff.free_units_count ? standing.used + standing.free_units : standing.used;
}

void add_energy(Quote& quote, const Tariff& tariff, Tenths used) {
    const auto first = quote.lines.size();
    walk(tariff, used, quote.units, [&](const Step& step, Tenths units, Money amount) {
        quote.lines.push_back({.kind = LineKind::energy,
                               .name = tariff.name,
                               .amount = amount,
                               .units = units,
                               .price = step.price});
    });
    Money energy;
    for (std::size_t i = first; i < quote.lines.size(); ++i) energy += quote.lines[i].amount;
    Money levies;
    for (const auto& levy : tariff.levies) {
        const auto amount = levy_of(levy, quote.units, energy);
        levies += amount;
        if (amount > Money{})
            quote.lines.push_back({.kind = LineKind::levy,
                                   .name = levy.name,
                                   .amount = amount,
                                   .price = levy.per_unit,
                                   .base = energy,
                                   .share = levy.share});
    }
    for (const auto& tax : tariff.taxes) {
        const auto base = tax.on_levies ? energy + levies : energy;
        if (const auto amount = share_of(base, tax.share); amount > Money{})
            quote.lines.push_back({.kind = LineKind::tax,
                                   .name = tax.name,
                                   .amount = amount,
                                   .base = base,
                                   .share = tax.share});
    }
}

/// The least tender that `buys`; whoever buys with one coin less buys with one coin more.
template <class Buys>
std::optional<Money> least(const Tariff& tariff, const Buys& buys) {
    if (!buys(tariff.tender_max)) return std::nullopt;
    Money low = tariff.tender_min - Money{1}, high = tariff.tender_max;  // low does not buy, high does
    while (high.minor - low.minor > 1) {
        const Money middle{(low.minor + high.minor) / 2};
        (buys(middle) ? high : low) = middle;
    }
    return high;
}

}  // namespace

std::string_view to_string(LineKind kind) {
    constexpr std::array<std::string_view, 8> words{"fee",  "charge", "debt",     "energy",
                                                    "levy", "tax",    "rounding", "credit"};
    return words[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Refusal refusal) {
    constexpr std::array<std::string_view, 3> words{"tender_too_small", "tender_too_large", "too_many_units"};
    return words[static_cast<std::size_t>(refusal)];
}

Money Quote::sum(LineKind kind) const {
    Money total;
    for (const auto& line : lines)
        if (line.kind == kind) total += line.amount;
    return total;
}

Answer quote(const Tariff& tariff, const Fee& fee, const Standing& standing, Money tender) {
    if (tender < tariff.tender_min) return Refusal::tender_too_small;
    if (tender > tariff.tender_max) return Refusal::tender_too_large;
    auto cascade = before_energy(tariff, fee, standing, tender);
    if (!cascade.complete) return Refusal::tender_too_small;
    const auto used = used_with_free(tariff, standing);
    const auto units = units_for(tariff, used, cascade.left);
    if (!units) return Refusal::too_many_units;
    if (*units == Tenths{}) return Refusal::tender_too_small;
    Quote quote{.tariff = tariff.id,
                .tender = tender,
                .units = *units,
                .free_units = standing.free_units,
                .lines = std::move(cascade.lines)};
    add_energy(quote, tariff, used);
    const auto rounding = cascade.left - cost_of(tariff, used, *units);
    if (rounding > Money{})
        quote.lines.push_back({.kind = LineKind::rounding, .name = "rounding", .amount = rounding});
    return quote;
}

std::optional<Money> least_tender(const Tariff& tariff, const Fee& fee, const Standing& standing,
                                  Tenths units) {
    if (units < Tenths{1} || units > units_max) return std::nullopt;
    const auto cost = cost_of(tariff, used_with_free(tariff, standing), units);
    const auto buys = [&](Money tender) {
        const auto cascade = before_energy(tariff, fee, standing, tender);
        return cascade.complete && cascade.left >= cost;
    };
    return least(tariff, buys);
}

Answer credit(const Tariff& tariff, const Fee& fee, const Standing& standing, Money tender, Money balance) {
    if (tender < tariff.tender_min) return Refusal::tender_too_small;
    if (tender > tariff.tender_max) return Refusal::tender_too_large;
    auto cascade = before_energy(tariff, fee, standing, tender);
    if (!cascade.complete || cascade.left == Money{}) return Refusal::tender_too_small;
    cascade.lines.push_back({.kind = LineKind::credit,
                             .name = "credit",
                             .amount = cascade.left,
                             .balance = balance + cascade.left});
    return Quote{.tariff = tariff.id,
                 .tender = tender,
                 .units = {},
                 .free_units = {},
                 .lines = std::move(cascade.lines)};
}

std::optional<Money> least_credit(const Tariff& tariff, const Fee& fee, const Standing& standing) {
    return least(tariff, [&](Money tender) {
        const auto cascade = before_energy(tariff, fee, standing, tender);
        return cascade.complete && cascade.left > Money{};
    });
}

std::vector<Line> month_lines(const Tariff& tariff, Tenths free, Tenths used) {
    const auto given = std::min(free, used);
    Quote quote{.tariff = tariff.id, .tender = {}, .units = used - given, .free_units = given, .lines = {}};
    add_energy(quote, tariff, tariff.free_units_count ? given : Tenths{});
    return std::move(quote.lines);
}

}  // namespace wattmesh::headend::vending::pricing
