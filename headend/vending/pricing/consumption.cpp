#include "headend/vending/pricing/consumption.h"

namespace wattmesh::headend::vending::pricing {
namespace {

constexpr std::int64_t wh_per_tenth = 100;

Parts parts_of(const Tariff& tariff, Tenths free, Tenths used) {
    Parts parts;
    for (const auto& line : month_lines(tariff, free, used)) parts[{line.kind, line.name}] += line.amount;
    return parts;
}

}  // namespace

Money sum_of(const Parts& parts) {
    Money sum;
    for (const auto& part : parts) sum += part.second;
    return sum;
}

std::vector<Parts> price_days(std::span<const DayUse> days, Tenths free) {
    std::vector<Parts> priced;
    priced.reserve(days.size());
    std::int64_t wh = 0;
    for (const auto& day : days) {
        const Tenths before{wh / wh_per_tenth};
        wh += day.wh;
        const Tenths after{wh / wh_per_tenth};
        priced.push_back(difference(parts_of(*day.tariff, free, after), parts_of(*day.tariff, free, before)));
    }
    return priced;
}

Parts difference(const Parts& wanted, const Parts& before) {
    Parts parts = wanted;
    for (const auto& [what, amount] : before) parts[what] -= amount;
    std::erase_if(parts, [](const auto& part) { return part.second == Money{}; });
    return parts;
}

}  // namespace wattmesh::headend::vending::pricing
