#include "headend/monitor/pg_rotation_desk.h"

#include <stdexcept>

#include "headend/database/audit_log.h"
#include "headend/database/key_counters.h"
#include "headend/monitor/pg_key_ledger.h"

namespace wattmesh::headend::monitor {
namespace {

/// A meter in the database, for one step.
class PgSeat final : public RotationSeat {
public:
    PgSeat(database::Connection& connection, const PgKeyLedger::Tools& tools, const database::Meter& meter,
           const RotationOrder& order, database::CounterBlocks& counters)
        : connection_(connection),
          tools_(tools),
          meter_(meter),
          ledger_(connection, tools, meter, order),
          counters_(counters) {
        concentrator = meter.concentrator_number.value_or(DeviceNumber{});
        meter_title = meter.title;
        pdu_size_least = meter.form.pdu_size_least();
    }
    PgKeyLedger& ledger() override { return ledger_; }
    CounterStore& counters() override { return counters_.of(meter_.number); }
    void encryption_replaced(std::uint32_t received) override {
        constexpr auto purpose = database::KeyPurpose::management_ek;
        database::KeyCounters known{connection_};
        if (const auto generation = known.generation(meter_.id, purpose))
            known.received(meter_.id, purpose, received, *generation);
        if (!refill()) throw std::runtime_error("a meter's invocation counter is used up");
    }
    void refused(dlms::KeyKind kind) override { ledger_.refused(kind); }
    /// False when the counter is used up: then nobody can talk with the meter, not even to give it a new key.
    bool refill() { return counters_.refill(connection_, meter_.number, meter_.id, tools_.now); }

private:
    database::Connection& connection_;
    const PgKeyLedger::Tools& tools_;
    const database::Meter& meter_;
    PgKeyLedger ledger_;
    database::CounterBlocks& counters_;
};

}  // namespace

std::string PgRotationDesk::take_seat(database::Connection& connection, const RotationOrder& order,
                                      const Work& work, Instant now) {
    const auto meter = database::Meters{connection}.find(order.meter);
    if (!meter) return "unknown_meter";
    if (!meter->concentrator_number) return "no_concentrator";
    const PgKeyLedger::Tools tools{security_.master(), ciphers_, now};
    PgSeat seat{connection, tools, *meter, order, counters_};
    seat.own_title = own_title_;
    auto security = security_.of(connection, *meter, now);
    if (const auto* fault = std::get_if<KeyFault>(&security)) return std::string{to_string(*fault)};
    seat.security = std::get<dlms::SecuritySettings>(std::move(security));
    if (auto trouble = seat.ledger().trouble(); !trouble.empty()) return trouble;
    if (!seat.refill()) return "no_key";
    work(seat);
    return {};
}

void PgRotationDesk::sit(const RotationOrder& order, Work work, std::function<void(std::string)> done) {
    // The queue tries again after contention, but a step of a rotation is done once: what the database did
    // not take is found out by the order's next attempt.
    queue_.run(
        [this, order, work = std::move(work), now = now_(),
         begun = std::make_shared<bool>(false)](database::Connection& connection) -> std::string {
            if (std::exchange(*begun, true)) return "unavailable";
            return take_seat(connection, order, work, now);
        },
        [done = std::move(done)](std::optional<std::string> fault) {
            done(fault ? *std::move(fault) : "unavailable");
        });
}

void PgRotationDesk::refused(const RotationOrder& order, const std::string& why) {
    queue_.execute(
        [=, now = now_()](database::Connection& connection) {
            database::Transaction transaction{connection};
            database::AuditLog{connection}.append({now, order.actor, "refused", to_string(order.meter), why});
            transaction.commit();
        },
        [](bool) {});
}

}  // namespace wattmesh::headend::monitor
