#include "headend/vending/pricing/tariff.h"

#include <array>

namespace wattmesh::headend::vending::pricing {
namespace {

constexpr std::size_t parts_max = 12, name_size_max = 60;
constexpr std::array<std::string_view, 4> recovery_words{"percent", "instalment", "first_of_month", "full"};

bool usable(Price price) { return price >= Price{} && price <= price_max; }
bool usable(Share share) { return share >= Share{} && share <= whole; }
bool usable(Money money) { return money >= Money{} && money <= money_max; }
bool usable(const std::string& name) { return !name.empty() && name.size() <= name_size_max; }

std::optional<std::string> fault_of(const std::vector<Step>& steps) {
    if (steps.empty() || steps.size() > parts_max) return "steps: there must be 1 to 12";
    Tenths below;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const bool last = i + 1 == steps.size();
        if (!usable(steps[i].price)) return "steps: a price is out of range";
        if (steps[i].up_to.has_value() == last)
            return "steps: all but the last say up to where they reach, the last does not";
        if (last) break;
        if (*steps[i].up_to <= below) return "steps: each must reach further than the one before";
        below = *steps[i].up_to;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of(const Tariff& tariff) {
    if (!usable(tariff.name)) return "name: 1 to 60 characters";
    if (auto fault = fault_of(tariff.steps)) return fault;
    if (tariff.levies.size() > parts_max || tariff.taxes.size() > parts_max)
        return "levies, taxes: at most 12 of each";
    for (const auto& levy : tariff.levies)
        if (!usable(levy.name) || !usable(levy.per_unit) || !usable(levy.share))
            return "levies: name, price or share is out of range";
    for (const auto& tax : tariff.taxes)
        if (!usable(tax.name) || !usable(tax.share)) return "taxes: name or share is out of range";
    if (!usable(tariff.charge_per_month) || tariff.charge_months_max < 1 || tariff.charge_months_max > 120)
        return "charge: out of range (at most 120 months)";
    if (tariff.tender_min < Money{1} || tariff.tender_max < tariff.tender_min ||
        tariff.tender_max > money_max)
        return "tender: the least must be above zero and not above the greatest";
    return std::nullopt;
}

std::string_view to_string(Recovery recovery) { return recovery_words[static_cast<std::size_t>(recovery)]; }

std::optional<Recovery> parse_recovery(std::string_view word) {
    for (std::size_t i = 0; i < recovery_words.size(); ++i)
        if (recovery_words[i] == word) return static_cast<Recovery>(i);
    return std::nullopt;
}

}  // namespace wattmesh::headend::vending::pricing
