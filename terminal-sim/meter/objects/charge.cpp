#include "terminal-sim/meter/objects/charge.h"

#include "protocol/cosem/payment.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;

ReadOutcome read_charge(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::charge;
    switch (what.attribute) {
        case 3:
            return charge_type.write(ChargeType::consumption_based_collection);
        case 4:
            return priority.write(1);
        case 5:
        case 6: {
            const auto energy = meter.object_named(cosem::Quantity::active_import);
            return unit_charge_active.write({{3, -2}, {3, energy, 2}, {}});
        }
        case 7:
            return unit_charge_activation_time.write(cosem::unspecified_time);
        case 8:
            return period.write(0);
        case 9:
            return charge_configuration.write({2, {0x00}});
        case 10:
            return last_collection_time.write({cosem::unspecified_time.octets});
        case 13:
            return proportion.write(0);
        default:
            return total_amount_paid.write(0);
    }
}

}  // namespace wattmesh::sim
