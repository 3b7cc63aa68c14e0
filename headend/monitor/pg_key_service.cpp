#include "headend/monitor/pg_key_service.h"

#include "headend/database/meters.h"
#include "headend/monitor/sealed_keys.h"

namespace wattmesh::headend::monitor {
namespace {

std::optional<Key128> key_of(database::Connection& connection, const security::MasterKey& master,
                             const database::Meter& meter, database::KeyPurpose purpose) {
    const auto sealed = database::Keys{connection}.find(meter.id, purpose);
    return sealed ? open_key(master, purpose_of(meter.number, purpose), *sealed) : std::nullopt;
}

KeyAnswer look_up(database::Connection& connection, const security::MasterKey& master,
                  database::CounterBlocks& counters, DeviceNumber number, Instant now) {
    const auto meter = database::Meters{connection}.find(number);
    if (!meter) return KeyFault::unknown_meter;
    if (!meter->concentrator_number) return KeyFault::no_concentrator;
    const auto encryption = key_of(connection, master, *meter, database::KeyPurpose::management_ek);
    const auto authentication = key_of(connection, master, *meter, database::KeyPurpose::management_ak);
    if (!encryption || !authentication) return KeyFault::no_key;
    if (!counters.refill(connection, number, meter->id, now)) return KeyFault::no_key;  // used up: new keys
    return ManagementAccess{*meter->concentrator_number, {*encryption, *authentication}};
}

}  // namespace

void PgKeyService::management(DeviceNumber meter, std::function<void(KeyAnswer)> done) {
    queue_.run(
        [&master = master_, &counters = counters_, meter, now = now_()](database::Connection& connection) {
            return look_up(connection, master, counters, meter, now);
        },
        [done = std::move(done)](std::optional<KeyAnswer> answer) {
            done(answer ? *std::move(answer) : KeyAnswer{KeyFault::unavailable});
        });
}

}  // namespace wattmesh::headend::monitor
