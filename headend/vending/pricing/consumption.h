#pragma once
#include <chrono>
#include <map>
#include <span>

#include "headend/vending/pricing/quote.h"

namespace wattmesh::headend::vending::pricing {

/// What was used on one of the utility's days, and by which version of the tariff it is priced.
struct DayUse {
    std::chrono::sys_days day;
    std::int64_t wh = 0;
    const Tariff* tariff = nullptr;  ///< outlives the call
};

/// Amounts by kind and name: energy (by the name of the tariff's version), levies, taxes.
using Parts = std::map<std::pair<LineKind, std::string>, Money>;
Money sum_of(const Parts& parts);

/// What each day of one month costs: the steps go on from day to day, so that under one version the days cost
/// together what the month's use costs at once. Whole tenths of a unit are priced; what is left of a day goes
/// on to the next, what is left of a month is the customer's. `days` are of one month, oldest first.
std::vector<Parts> price_days(std::span<const DayUse> days, Tenths free);

/// What has to be posted so that `before` becomes `wanted`; parts without a difference are left out.
Parts difference(const Parts& wanted, const Parts& before);

}  // namespace wattmesh::headend::vending::pricing
