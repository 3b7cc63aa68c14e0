#include "protocol/cosem/measurement.h"
#include "protocol/cosem/register_activation.h"
#include "terminal-sim/meter/meter.h"

/// Average and greatest power, and which tariff registers count now.
namespace wattmesh::sim {

using namespace dlms;
using cosem::Unit;

namespace {

constexpr std::chrono::seconds demand_period{interval_s};

ReadOutcome read_demand(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::demand_register;
    const Instant shown = meter.shown_time(what.now);
    const Instant start = shown - Duration{epoch_us(shown) % Duration{demand_period}.count()};
    switch (what.attribute) {
        case 2: {
            const auto so_far = meter.watt_hours_since_capture(what.now);
            return current_average_value.write(static_cast<std::uint32_t>(so_far * 3600 / interval_s));
        }
        case 3:
            return last_average_value.write(meter.last_average_watts());
        case 4:
            return scaler_unit.write({0, Unit::watt});
        case 5:
            return status.write(std::uint8_t{0});
        case 6:
            return capture_time.write(cosem::raw({.at = start}));
        case 7:
            return start_time_current.write(cosem::raw({.at = start}));
        case 8:
            return period.write(interval_s);
        default:
            return number_of_periods.write(1);
    }
}

ReadOutcome read_maximum(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::extended_register;
    const auto maximum = meter.maximum_demand(what.now);
    switch (what.attribute) {
        case 2:
            return value.write(maximum.watts);
        case 3:
            return scaler_unit.write({0, Unit::watt});
        case 4:
            return status.write(std::uint8_t{0});
        default:
            return capture_time.write(maximum.at == Instant{} ? cosem::unspecified_time
                                                              : cosem::raw({.at = maximum.at}));
    }
}

Buffer mask_name(int tariff) { return {'T', static_cast<std::uint8_t>('0' + tariff)}; }

ReadOutcome read_activation(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::register_activation;
    if (what.attribute == 4)
        return active_mask.write(mask_name(day_tariff(interval_of(meter.shown_time(what.now))) ? 1 : 2));
    std::vector<cosem::ObjectDefinition> registers;
    std::vector<Mask> masks{{mask_name(1), {}}, {mask_name(2), {}}};
    for (std::uint8_t channel = 1; channel <= 4; ++channel)
        for (std::uint8_t tariff = 1; tariff <= 2; ++tariff) {
            registers.push_back({3, object_name(1, 0, channel, 8, tariff)});
            masks[tariff - 1U].index_list.push_back(static_cast<std::uint8_t>(registers.size()));
        }
    return what.attribute == 2 ? register_assignment.write(registers) : mask_list.write(masks);
}

}  // namespace

void ObjectMaker::demand(SimObjects& objects) {
    objects.push_back(
        {.spec = &cosem::demand_register::spec, .name = object_name(1, 0, 1, 4, 0), .read = read_demand});
    objects.push_back(
        {.spec = &cosem::extended_register::spec, .name = object_name(1, 0, 1, 6, 0), .read = read_maximum});
    objects.push_back({.spec = &cosem::register_activation::spec,
                       .name = object_name(0, 0, 14, 0, 0),
                       .read = read_activation});
}

}  // namespace wattmesh::sim
