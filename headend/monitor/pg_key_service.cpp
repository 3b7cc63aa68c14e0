#include "headend/monitor/pg_key_service.h"

#include "headend/database/audit_log.h"
#include "headend/database/disconnect_grants.h"
#include "headend/database/meters.h"
#include "headend/monitor/guarded_protection.h"
#include "headend/monitor/sealed_keys.h"
#include "protocol/dlms/security.h"

namespace wattmesh::headend::monitor {
namespace {

using database::KeyPurpose;

std::optional<SymmetricKey> key_of(database::Connection& connection, const security::MasterKey& master,
                                   const database::Meter& meter, KeyPurpose purpose) {
    const auto sealed = database::Keys{connection}.find(meter.id, purpose);
    const auto plain = sealed ? master.unwrap(purpose_of(meter.number, purpose), *sealed) : std::nullopt;
    return plain ? SymmetricKey::from(plain->reveal()) : std::nullopt;
}

}  // namespace

KeyAnswer PgKeyService::look_up(database::Connection& connection, const KeyRequest& request, Instant now) {
    const auto meter = database::Meters{connection}.find(request.meter);
    if (!meter) return KeyFault::unknown_meter;
    if (!meter->concentrator_number) return KeyFault::no_concentrator;
    const auto encryption = key_of(connection, master_, *meter, KeyPurpose::management_ek);
    const auto authentication = key_of(connection, master_, *meter, KeyPurpose::management_ak);
    if (!encryption || !authentication) return KeyFault::no_key;
    dlms::SecuritySettings security;
    security.suite = static_cast<dlms::Suite>(meter->suite);
    if (encryption->size() != dlms::key_size(security.suite) || authentication->size() != encryption->size())
        return KeyFault::no_key;
    // Used up: the meter needs new keys.
    if (!counters_.refill(connection, request.meter, meter->id, now)) return KeyFault::no_key;
    if (request.disconnects > 0 && !database::DisconnectGrants{connection}.acquire(
                                       meter->id, request.meter, request.actor, request.disconnects,
                                       settings_.disconnects_per_hour_max, now))
        return KeyFault::too_many_disconnects;
    CounterStore& counter = counters_.of(request.meter);
    auto keyed = std::make_unique<dlms::SecurityContext>(dlms::ClientKeys{*encryption, *authentication},
                                                         settings_.own_title, meter->title, ciphers_, counter,
                                                         counter, security);
    return GuardedAccess{
        .concentrator = *meter->concentrator_number,
        .own_title = settings_.own_title,
        .meter_title = meter->title,
        .protection = std::make_unique<GuardedProtection>(
            std::move(keyed), request.role, request.disconnects,
            [this, request](const std::string& why) { note(request.actor, "refused", request.meter, why); })};
}

void PgKeyService::raise(DeviceNumber meter, const dlms::CounterRaised& counter, const std::string& actor) {
    counters_.of(meter).raise(counter.next);
    note(actor, "counter raised", meter,
         "the meter says it accepted " + std::to_string(counter.accepted) + "; the next one is at least " +
             std::to_string(counter.next));
}

void PgKeyService::note(const std::string& actor, const std::string& action, DeviceNumber meter,
                        const std::string& detail) {
    queue_.execute(
        [=, now = now_()](database::Connection& connection) {
            database::Transaction transaction{connection};
            database::AuditLog{connection}.append(now, actor, action, to_string(meter), detail);
            transaction.commit();
        },
        [](bool) {});
}

void PgKeyService::access(KeyRequest request, std::function<void(KeyAnswer)> done) {
    queue_.run([this, request = std::move(request),
                now = now_()](database::Connection& connection) { return look_up(connection, request, now); },
               [done = std::move(done)](std::optional<KeyAnswer> answer) {
                   done(answer ? *std::move(answer) : KeyAnswer{KeyFault::unavailable});
               });
}

}  // namespace wattmesh::headend::monitor
