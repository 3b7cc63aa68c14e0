#include "headend/database/meters.h"
#include "headend/database/on_demand_log.h"
#include "headend/roles.h"

namespace wattmesh::headend {

void put_register(database::QueryQueue& queue, DeviceNumber meter, const monitor::PushedValue& value,
                  Instant at, const char* source) {
    queue.execute(
        [meter, value, at, source](database::Connection& connection) {
            const auto known = database::Meters{connection}.find(meter);
            if (!known) return;
            database::OnDemandLog{connection}.put({.meter = known->id,
                                                   .register_ = value.register_,
                                                   .at = at,
                                                   .value = value.value,
                                                   .scaler = value.scaler.value_or(0),
                                                   .unit = value.unit.value_or(0),
                                                   .source = source});
        },
        [](bool) {});
}

}  // namespace wattmesh::headend
