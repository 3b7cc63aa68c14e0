#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/vending/pricing/money.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::vending::pricing {

using TariffVersionId = Id<struct TariffVersionTag, std::int64_t>;
using DebtId = Id<struct DebtTag, std::int64_t>;

/// A month of the utility's calendar: year * 12 + month - 1.
using Month = Id<struct MonthTag, std::int32_t>;

/// A block: what units cost until so many were bought in the month.
struct Step {
    std::optional<Tenths> up_to;  ///< of the month, all steps below counted; none: the last step
    Price price;
    friend bool operator==(const Step&, const Step&) = default;
};

/// On top of energy: so much for a unit, and a share of what energy costs.
struct Levy {
    std::string name;
    Price per_unit;
    Share share;
    friend bool operator==(const Levy&, const Levy&) = default;
};

/// Of energy, and where it says so of levies and of charges. Taxes are not taxed.
struct Tax {
    std::string name;
    Share share;
    bool on_levies = true, on_charges = true;
    friend bool operator==(const Tax&, const Tax&) = default;
};

/// One version of a tariff. A flat tariff has one step.
struct Tariff {
    TariffVersionId id;
    std::string name;
    std::vector<Step> steps;
    std::vector<Levy> levies;
    std::vector<Tax> taxes;
    Money charge_per_month;        ///< before taxes; collected with the first purchase of a month
    int charge_months_max = 1;     ///< months without purchase accumulate, at most so many
    bool free_units_count = true;  ///< towards the steps
    bool debts_before_charges = false;
    Money tender_min{1}, tender_max = money_max;
    friend bool operator==(const Tariff&, const Tariff&) = default;
};
/// What is wrong with it, naming the member; nothing when it can be used.
std::optional<std::string> fault_of(const Tariff& tariff);

/// percent: a share of what is left when its turn comes, not below `floor`, not above `cap`. instalment: so
/// much for every month since the first, months missed included. first_of_month: so much with the first
/// purchase of a month. full: everything first.
enum class Recovery : std::uint8_t { percent, instalment, first_of_month, full };
std::string_view to_string(Recovery recovery);
std::optional<Recovery> parse_recovery(std::string_view word);

/// What a customer owes.
struct Debt {
    DebtId id;
    std::string name;
    Recovery recovery = Recovery::percent;
    Money original, balance;
    Share share;
    Money floor, cap = money_max;
    Money instalment;
    Month first_month;                ///< of instalments
    std::optional<Month> last_month;  ///< in which something was collected
    friend bool operator==(const Debt&, const Debt&) = default;
};

/// What the one who sells takes first: a sum and a share of the tender.
struct Fee {
    Money fixed;
    Share share;
    friend bool operator==(const Fee&, const Fee&) = default;
};

/// Where a customer stands when a sale is priced.
struct Standing {
    Month month;
    Tenths used;              ///< of the month's steps
    Tenths free_units;        ///< to be had now
    Month charged_until;      ///< the last month whose charge was collected
    std::vector<Debt> debts;  ///< not on hold, in the order in which they are collected
};

}  // namespace wattmesh::headend::vending::pricing
