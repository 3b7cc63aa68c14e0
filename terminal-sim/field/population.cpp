#include "terminal-sim/field/population.h"

#include <algorithm>

#include "terminal-sim/field/prepaid_town.h"
#include "terminal-sim/meter/access.h"

namespace wattmesh::sim {

Population::Population(const Town& town, Instant installed_at, CounterFile& counters, Truth& truth,
                       const TakeKeys& take_keys, const std::map<DeviceNumber, PrepaidSettings>& prepaid) {
    loads_.resize(town.meters.size());
    std::map<DeviceNumber, std::vector<const Load*>> customers;
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const TownMeter& meter = town.meters[i];
        index_[meter.number] = i;
        if (meter.kind == LoadKind::summary) continue;
        loads_[i] = std::make_unique<CustomerLoad>(town.request.seed, meter.number, meter.kind, meter.solar);
        customers[meter.concentrator].push_back(loads_[i].get());
    }
    for (std::size_t i = 0; i < town.meters.size(); ++i) {
        const TownMeter& meter = town.meters[i];
        if (meter.kind == LoadKind::summary)
            loads_[i] =
                std::make_unique<SummaryLoad>(town.request.seed, meter.number, customers[meter.concentrator]);
        MeterSettings settings{.number = meter.number,
                               .kind = meter.kind,
                               .seed = town.request.seed,
                               .installed_at = installed_at};
        settings.clock_offset = std::chrono::milliseconds{meter.clock_offset_ms};
        settings.drift_ppm = meter.drift_ppm;
        settings.over_radio = true;
        settings.accepted_counter = [&counters, i](Sap client) {
            return counters.accepted(client == management_client ? management_slot(i) : reading_slot(i));
        };
        settings.replace_keys = [take_keys, i](KeyOwner owner, const dlms::Data& argument) {
            return take_keys(i, owner, argument);
        };
        if (const auto sells = prepaid.find(meter.number); sells != prepaid.end()) {
            settings.prepaid = sells->second;
            settings.model = &cosem_model(sells->second);
        }
        auto* customer = dynamic_cast<CustomerLoad*>(loads_[i].get());
        meters_.push_back(std::make_unique<Meter>(
            std::move(settings), *loads_[i], customer == nullptr ? nullptr : &customer->supply(), &truth));
        due_.push_back(meters_.back()->next_event());
        order_.push_back(i);
    }
    std::stable_partition(order_.begin(), order_.end(),
                          [&](std::size_t i) { return town.meters[i].kind != LoadKind::summary; });
}

std::optional<std::size_t> Population::find(const DeviceNumber& number) const {
    const auto found = index_.find(number);
    if (found == index_.end()) return std::nullopt;
    return found->second;
}

const SummaryLoad* Population::summary_load(std::size_t index) const {
    return dynamic_cast<const SummaryLoad*>(loads_[index].get());
}

void Population::advance(Instant now) {
    for (const auto i : order_) {
        if (due_[i] > now) continue;
        meters_[i]->advance(now);
        due_[i] = meters_[i]->next_event();
    }
}

}  // namespace wattmesh::sim
