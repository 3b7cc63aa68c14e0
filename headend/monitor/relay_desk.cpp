#include "headend/monitor/relay_desk.h"

#include <array>

namespace wattmesh::headend::monitor {
namespace {

namespace control = cosem::disconnect_control;
using What = ErrandResult::What;

const ObisCode disconnector = obis::disconnect_control;

}  // namespace

bool as_wanted(RelayVerb verb, const RelayState& state) {
    if (verb == RelayVerb::disconnect)
        return !state.connected && state.control == control::ControlState::disconnected;
    return state.connected || state.control == control::ControlState::ready_for_reconnection;
}

std::string_view to_string(RelayVerb verb) {
    return verb == RelayVerb::disconnect ? "disconnect" : "reconnect";
}

std::optional<RelayVerb> parse_relay_verb(std::string_view word) {
    if (word == "disconnect") return RelayVerb::disconnect;
    if (word == "reconnect") return RelayVerb::reconnect;
    return std::nullopt;
}

std::string_view to_string(const RelayState& state) {
    if (state.connected) return "connected";
    return state.control == control::ControlState::ready_for_reconnection ? "ready for reconnection by hand"
                                                                          : "disconnected";
}

struct RelayDesk::Run {
    DeviceNumber meter;
    RelayVerb verb{};
    std::string actor;
    Done done;
    RelayResult result;
    std::shared_ptr<MeterErrand> errand;
    std::array<std::optional<std::int64_t>, 3> values;

    void end(std::string fault) {
        result.fault = std::move(fault);
        done(result);
    }
};

void RelayDesk::run(DeviceNumber meter, RelayVerb verb, const std::string& actor, Done done) {
    const auto run = std::make_shared<Run>();
    run->meter = meter;
    run->verb = verb;
    run->actor = actor;
    run->done = std::move(done);
    read_state(run, [this, run](std::string fault, const std::optional<RelayState>& before) {
        if (!before) return run->end(std::move(fault));
        on_before(run, *before);
    });
}

void RelayDesk::look(DeviceNumber meter, std::function<void(std::string, std::optional<RelayState>)> done) {
    const auto run = std::make_shared<Run>();
    run->meter = meter;
    read_state(run, std::move(done));
}

/// Three attributes in one association.
void RelayDesk::read_state(const std::shared_ptr<Run>& run,
                           std::function<void(std::string, std::optional<RelayState>)> done) {
    run->values = {};
    const auto next = std::make_shared<std::function<void(std::size_t)>>();
    *next = [this, run, done = std::move(done), weak = std::weak_ptr{next}](std::size_t place) {
        const auto self = weak.lock();
        const dlms::AttributeId id{control::owner.id, disconnector, static_cast<std::int8_t>(2 + place)};
        on_demand_.read(run->meter, id,
                        [run, done, self, place, alive = std::weak_ptr{alive_}](const OnDemandResult& read) {
                            if (!alive.lock()) return;
                            if (!read.ok()) return done(read.fault, std::nullopt);
                            const auto* yes = std::get_if<bool>(&read.value.value);
                            run->values[place] = yes != nullptr ? std::optional<std::int64_t>{*yes ? 1 : 0}
                                                                : read.value.integer();
                            if (!run->values[place]) return done("malformed", std::nullopt);
                            if (place < 2) return (*self)(place + 1);
                            const auto [output, state, mode] = run->values;
                            if (*state > static_cast<int>(last_of(control::ControlState{})) ||
                                *mode > static_cast<int>(last_of(control::ControlMode{})) || *state < 0 ||
                                *mode < 0)
                                return done("malformed", std::nullopt);
                            done("", RelayState{*output != 0, static_cast<control::ControlState>(*state),
                                                static_cast<control::ControlMode>(*mode)});
                        });
    };
    (*next)(0);
}

void RelayDesk::on_before(const std::shared_ptr<Run>& run, const RelayState& before) {
    run->result.before = run->result.after = before;
    if (as_wanted(run->verb, before)) return run->end("");
    if (before.mode == control::ControlMode::none) return run->end("always_connected");
    on_demand_.hold(run->meter, [this, run, alive = std::weak_ptr{alive_}] {
        if (alive.lock()) command(run);
    });
}

void RelayDesk::command(const std::shared_ptr<Run>& run) {
    const bool disconnects = run->verb == RelayVerb::disconnect;
    KeyRequest request{.meter = run->meter,
                       .role = Role::management,
                       .actor = run->actor,
                       .disconnects = disconnects ? 1 : 0};
    keys_.access(
        std::move(request), [this, run, disconnects, alive = std::weak_ptr{alive_}](KeyAnswer answer) {
            if (!alive.lock()) return;
            if (const auto* fault = std::get_if<KeyFault>(&answer)) {
                on_demand_.release(run->meter);
                return run->end(std::string{to_string(*fault)});
            }
            run->errand = std::make_shared<MeterErrand>(run->meter, carry_, ciphers_, random_);
            auto call = (disconnects ? control::remote_disconnect : control::remote_reconnect)(disconnector);
            run->errand->start(std::get<GuardedAccess>(std::move(answer)), radio_pdu_size_max,
                               MeterErrand::Call{call.id, std::move(call.argument).value()}, true,
                               [this, run, inner = std::weak_ptr{alive_}](const ErrandResult& result) {
                                   if (!inner.lock()) return;
                                   on_demand_.release(run->meter);
                                   if (result.what == What::unreached) return run->end(result.fault);
                                   if (result.what == What::denied) return run->end("refused");
                                   run->result.sent = true;
                                   if (result.what == What::refused) return run->end("refused");
                                   verify(run);  // also when the answer was lost: the meter knows
                               });
        });
}

void RelayDesk::verify(const std::shared_ptr<Run>& run) {
    read_state(run, [run](const std::string&, const std::optional<RelayState>& after) {
        run->result.after = after;
        if (!after) return run->end("not_verified");
        run->end(as_wanted(run->verb, *after) ? "" : "no_effect");
    });
}

}  // namespace wattmesh::headend::monitor
