#include "headend/monitor/pg_key_service.h"

#include <algorithm>

#include "headend/database/audit_log.h"
#include "headend/database/disconnect_grants.h"
#include "headend/database/meters.h"
#include "headend/monitor/guarded_protection.h"
#include "protocol/dlms/security.h"

namespace wattmesh::headend::monitor {

/// Octets of an APDU that a meter which calls in by itself is asked to fill: what goes into one TCP segment.
constexpr std::uint16_t pdu_size_direct = 1'024;

KeyAnswer PgKeyService::look_up(database::Connection& connection, const KeyRequest& request, Instant now) {
    const auto meter = database::Meters{connection}.find(request.meter);
    if (!meter) return KeyFault::unknown_meter;
    if (!meter->concentrator_number) return KeyFault::no_concentrator;
    const auto keys = security_.keys(connection, *meter);
    if (!keys) return KeyFault::no_key;
    const auto found = security_.of(connection, *meter, now);
    if (const auto* fault = std::get_if<KeyFault>(&found)) return *fault;
    const auto& security = std::get<dlms::SecuritySettings>(found);
    // Used up: the meter needs new keys.
    if (!counters_.refill(connection, request.meter, meter->id, now)) return KeyFault::no_key;
    if (request.disconnects > 0 &&
        !database::DisconnectGrants{connection}.acquire(meter->id, request.meter, request.actor,
                                                        request.disconnects, settings_.caps, now))
        return KeyFault::too_many_disconnects;
    CounterStore& counter = counters_.of(request.meter);
    CounterStore& received = request.unasked ? counters_.unasked(request.meter) : counter;
    const bool direct = *meter->concentrator_number == meter->number;
    auto keyed = std::make_unique<dlms::SecurityContext>(keys, settings_.own_title, meter->title, ciphers_,
                                                         counter, received, security);
    return GuardedAccess{
        .concentrator = *meter->concentrator_number,
        .own_title = settings_.own_title,
        .meter_title = meter->title,
        .protection = std::make_unique<GuardedProtection>(
            std::move(keyed), request.role, request.disconnects,
            [this, request](const std::string& why) { note(request.actor, "refused", request.meter, why); }),
        .mechanism = security.mechanism,
        .pdu_size_least =
            direct ? std::max(pdu_size_direct, meter->form.pdu_size_least()) : meter->form.pdu_size_least()};
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
            database::AuditLog{connection}.append({now, actor, action, to_string(meter), detail});
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
