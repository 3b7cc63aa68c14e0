#include "protocol/cosem/monitors.h"
#include "protocol/cosem/schedule.h"
#include "protocol/cosem/script_table.h"
#include "terminal-sim/meter/meter.h"

/// The breaker and what may work it: the head-end, scripts at a time, and the limiter.
namespace wattmesh::sim {

using namespace dlms;
using cosem::disconnect_control::ControlMode;
using cosem::disconnect_control::ControlState;

namespace {

constexpr ObisCode supply_script = object_name(0, 0, 10, 0, 106);
constexpr std::uint16_t script_disconnect = 1, script_reconnect = 2;
constexpr cosem::ValueDefinition power_import{3, object_name(1, 0, 1, 7, 0), 2};

ReadOutcome read_limiter(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::limiter;
    constexpr std::uint32_t unlimited = 0xFFFF'FFFF;
    switch (what.attribute) {
        case 2:
            return monitored_value.write(power_import);
        case 3:
            return meter.attribute(what.object.name, 4)
                .value_or(Data{unlimited});  // no emergency in this meter
        case 4:
        case 5:
            return Data{unlimited};
        case 6:
            return min_over_threshold_duration.write(60);
        case 7:
            return min_under_threshold_duration.write(60);
        case 8:
            return emergency_profile.write({});
        case 9:
            return emergency_profile_group_id_list.write({});
        case 10:
            return emergency_profile_active.write(false);
        default:
            return actions.write({{supply_script, script_disconnect}, {}});
    }
}

ReadOutcome read_monitor(const Meter&, const SimObject::Read& what) {
    using namespace cosem::register_monitor;
    if (what.attribute == 2) return thresholds.write({});
    if (what.attribute == 3) return monitored_value.write(power_import);
    return actions.write({});
}

ReadOutcome read_scripts(const Meter&, const SimObject::Read&) {
    using namespace cosem::script_table;
    const auto call = [](std::uint16_t number, std::int8_t method) {
        return Script{number,
                      {{Service::execute_method, 70, obis::disconnect_control, method, std::int8_t{0}}}};
    };
    return scripts.write({call(script_disconnect, 1), call(script_reconnect, 2)});
}

ReadOutcome read_schedule(const Meter&, const SimObject::Read& what) {
    using namespace cosem::single_action_schedule;
    if (what.attribute == 2) return executed_script.write({supply_script, script_disconnect});
    if (what.attribute == 3) return type.write(ScheduleType::one_time_wildcard_date);
    return execution_time.write({});
}

}  // namespace

void ObjectMaker::supply(SimObjects& objects) {
    objects.push_back({.spec = &cosem::disconnect_control::spec,
                       .name = obis::disconnect_control,
                       .audience = for_management,
                       .read = [](const Meter& meter, const SimObject::Read& what) -> ReadOutcome {
                           using namespace cosem::disconnect_control;
                           if (what.attribute == 2) return output_state.write(meter.closed(what.now));
                           if (what.attribute == 3) return control_state.write(meter.control_state(what.now));
                           return control_mode.write(ControlMode::mode_4);
                       },
                       .writable = {4},
                       .methods = {1, 2},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           return {meter.switch_supply(what.method == 2, what.now), {}};
                       }});
    objects.push_back({.spec = &cosem::script_table::spec,
                       .name = supply_script,
                       .audience = for_management,
                       .read = read_scripts,
                       .methods = {1},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           const auto number = static_cast<std::uint16_t>(*what.argument.integer());
                           return {meter.execute({supply_script, number}, what.now), {}};
                       }});
    objects.push_back({.spec = &cosem::single_action_schedule::spec,
                       .name = object_name(0, 0, 15, 0, 1),
                       .audience = for_management,
                       .read = read_schedule,
                       .writable = {2, 4}});
    objects.push_back({.spec = &cosem::limiter::spec,
                       .name = object_name(0, 0, 17, 0, 0),
                       .audience = for_management,
                       .read = read_limiter,
                       .writable = {4, 6, 7, 8, 9, 11}});
    objects.push_back({.spec = &cosem::register_monitor::spec,
                       .name = object_name(0, 0, 16, 1, 0),
                       .audience = for_management,
                       .read = read_monitor,
                       .writable = {2, 3, 4}});
}

ControlMode Meter::control_mode() const {
    const auto stored = attribute(object_named(cosem::Quantity::disconnect_control), 4);
    const auto mode = stored ? cosem::disconnect_control::control_mode.read(*stored)
                             : cosem::Checked<ControlMode>{ControlMode::mode_4};
    return mode ? *mode : ControlMode::mode_4;
}

ControlState Meter::control_state(Instant now) const {
    if (closed(now)) return ControlState::connected;
    if (prepaid_ && !prepaid_->held_open && prepaid_at(now).relay() == Relay::armed)
        return ControlState::ready_for_reconnection;
    return rare_ && rare_->ready_for_reconnection ? ControlState::ready_for_reconnection
                                                  : ControlState::disconnected;
}

AccessResult Meter::switch_supply(bool close, Instant now) {
    const ControlMode mode = control_mode();
    if (supply_ == nullptr || mode == ControlMode::none) return AccessResult::other_reason;
    if (prepaid_ && !close && !prepaid_->held_open) {
        perform({Deed::Kind::disconnected, now, {}, {}});  // also when it is open for want of credit
        return AccessResult::success;
    }
    if (closed(now) == close) return AccessResult::success;
    if (prepaid_ && prepaid_at(now).relay() == Relay::open) return AccessResult::other_reason;  // buy first
    if (!close)
        perform({Deed::Kind::disconnected, now, {}, {}});
    else if (cosem::disconnect_control::reconnects_directly(mode))
        perform({Deed::Kind::reconnected, now, {}, {}});
    else if (control_state(now) == ControlState::disconnected) {
        rare().ready_for_reconnection = true;  // and a hand at the meter closes
        remember_call(70, object_named(cosem::Quantity::disconnect_control), 2, std::int8_t{0}, now);
    }
    return AccessResult::success;
}

bool Meter::reconnect_by_hand(Instant now) {
    advance(now);
    if (prepaid_) {
        const bool tripped = rare_->ready_for_reconnection;            // by the limiter
        const bool waits = prepaid_at(now).relay() == Relay::waiting;  // for a command
        if (closed(now) || ((prepaid_->held_open || waits) && !tripped)) return false;
        perform({Deed::Kind::reconnected, now, {}, {}});
        return closed(now);
    }
    if (supply_ == nullptr || control_state(now) != ControlState::ready_for_reconnection) return false;
    perform({Deed::Kind::reconnected, now, {}, {}});
    return true;
}

// Power is constant within a quarter hour of true time, so the limiter looks when one begins.
void Meter::watch_limit(Instant quarter) {
    using namespace cosem::limiter;
    const ObisCode name = object_named(cosem::Quantity::limiter);
    const auto threshold = attribute(name, 4);
    if (!threshold || supply_ == nullptr) return;
    const auto wait = attribute(name, 6), action = attribute(name, 11);
    const auto over =
        action ? actions.read(*action) : cosem::Checked<Actions>{Actions{{supply_script, 1}, {}}};
    const bool exceeds = closed(quarter) && watts(quarter) > threshold->integer().value_or(0) &&
                         threshold->integer().has_value();
    if (!exceeds || !over || over->action_over_threshold.script_selector == 0) {
        rare().over_threshold_since.reset();
        rare().trip_at.reset();
        return;
    }
    if (!rare().over_threshold_since) rare().over_threshold_since = quarter;
    rare().trip_at =
        *rare().over_threshold_since + std::chrono::seconds{wait ? wait->integer().value_or(60) : 60};
}

void Meter::trip(Instant at) {
    rare().trip_at.reset();
    rare().over_threshold_since.reset();
    if (!closed(at) || control_mode() == ControlMode::none) return;
    status_ |= profile_status_bit::disconnected;
    rare().ready_for_reconnection = true;  // a local disconnection
    if (prepaid_) prepaid_->held_open = true;
    supply_->set(false, at);
    log(clock_.shown(at), event::limit_exceeded);
    push_alarm(at);
}

}  // namespace wattmesh::sim
