#include "terminal-sim/meter/chance.h"
#include "terminal-sim/meter/load.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { thief_count = 0x7EF7, thief_hours, thief_power };

}  // namespace

SummaryLoad::SummaryLoad(std::uint64_t seed, const DeviceNumber& meter, std::vector<const Load*> customers)
    : seed_(seed),
      meter_(meter.integer()),
      customers_(std::move(customers)),
      thieves_(within(draw(seed, thief_count, meter_), 0,
                      1 + static_cast<std::int64_t>(customers_.size()) / 40)) {}

std::int64_t SummaryLoad::loss(IntervalNumber interval) const {
    std::int64_t flow = 0;
    for (const Load* customer : customers_) {
        const Energies energies = customer->nominal(interval);
        flow += energies.channels[0] - energies.channels[1];
    }
    // Iron: constant by size. Copper: quadratic, 4 % at a flow of 250 Wh (1 kW) per customer.
    const auto count = static_cast<std::int64_t>(customers_.size());
    return count + (count == 0 ? 0 : flow * flow / (count * 250) * 4 / 100);
}

std::int64_t SummaryLoad::theft(IntervalNumber interval) const {
    std::int64_t stolen = 0;
    for (std::int64_t thief = 0; thief < thieves_; ++thief) {
        const auto who = meter_ ^ static_cast<std::uint64_t>(thief) << 48;
        const std::int64_t from =
            within(draw(seed_, thief_hours, who), 64, 84);  // tapped in the evening, for four hours
        const std::int64_t slot = slot_of_day(interval);
        if (slot >= from && slot < from + 16)
            stolen += within(draw(seed_, thief_power, who, static_cast<std::uint64_t>(interval)), 200, 500);
    }
    return stolen;
}

Energies SummaryLoad::during(IntervalNumber interval, Duration elapsed) const {
    // Each phase counts on its own, so that a house that feeds in does not hide another's consumption: both
    // directions sum.
    Energies energies{{part_of(loss(interval) + theft(interval), elapsed), 0, 0, 0}};
    for (const Load* customer : customers_) energies += customer->during(interval, elapsed);
    return energies;
}

}  // namespace wattmesh::sim
