#include "headend/monitor/clock_desk.h"

#include "protocol/cosem/clock.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::headend::monitor {
namespace {

namespace clock = cosem::clock;
using What = ErrandResult::What;

}  // namespace

void ClockDesk::measure(DeviceNumber meter, Measured done) {
    const auto id = clock::time.of(obis::clock);
    on_demand_.read(meter, id,
                    [this, meter, id, done = std::move(done),
                     alive = std::weak_ptr{alive_}](const OnDemandResult& first) mutable {
                        if (!alive.lock()) return;
                        if (!first.ok()) return done(first.fault, std::nullopt);
                        on_demand_.read(meter, id,
                                        [this, done = std::move(done), alive](const OnDemandResult& second) {
                                            if (!alive.lock()) return;
                                            if (!second.ok()) return done(second.fault, std::nullopt);
                                            auto told = reading(second.value, second.took);
                                            done(told ? "" : "malformed", told);
                                        });
                    });
}

std::optional<database::ClockReading> ClockDesk::reading(const dlms::Data& value, Duration took) const {
    const auto shown = dlms::date_time(value);
    if (!shown) return std::nullopt;
    // It answered somewhere between question and answer.
    const Duration half = took / 2;
    const Instant at = now_() - half;
    return database::ClockReading{.at = at,
                                  .offset = shown->at - at,
                                  .uncertainty = half,
                                  .behind_utc = std::chrono::minutes{shown->deviation_minutes}};
}

struct ClockDesk::Shift {
    DeviceNumber meter;
    int seconds = 0;
    Still still;
    std::function<void(const Shifted&)> done;
    Instant asked{};
    Shifted result{};
    bool allowed = false;
};

void ClockDesk::shift(DeviceNumber meter, int seconds, const std::string& actor, Still still,
                      std::function<void(const Shifted&)> done) {
    const auto shift = std::make_shared<Shift>(Shift{meter, seconds, std::move(still), std::move(done)});
    on_demand_.hold(meter, [this, shift, actor, alive = std::weak_ptr{alive_}] {
        if (!alive.lock()) return;
        KeyRequest request{.meter = shift->meter, .role = Role::management, .actor = actor};
        keys_.access(std::move(request), [this, shift, alive](KeyAnswer answer) {
            if (!alive.lock()) return;
            if (auto* access = std::get_if<GuardedAccess>(&answer)) return send(shift, std::move(*access));
            on_demand_.release(shift->meter);
            shift->done({std::string{to_string(std::get<KeyFault>(answer))}});
        });
    });
}

void ClockDesk::send(const std::shared_ptr<Shift>& shift, GuardedAccess access) {
    auto call = clock::shift_time(obis::clock, static_cast<std::int16_t>(shift->seconds));
    const auto asking = [this, shift] { shift->asked = now_(); };
    std::vector<MeterErrand::Step> steps;
    steps.emplace_back(
        MeterErrand::Read{clock::time.of(obis::clock), asking, [this, shift](const auto& value) {
                              const auto before = reading(value, now_() - shift->asked);
                              return shift->allowed = before && shift->still(*before);
                          }});
    steps.emplace_back(MeterErrand::Call{call.id, std::move(call.argument).value()});
    steps.emplace_back(
        MeterErrand::Read{clock::time.of(obis::clock), asking, [this, shift](const auto& value) {
                              shift->result.after = reading(value, now_() - shift->asked);
                              return true;
                          }});
    const auto errand = std::make_shared<MeterErrand>(shift->meter, carry_, ciphers_, random_);
    errands_.insert(errand);
    errand->start(std::move(access), radio_pdu_size_max, std::move(steps), true,
                  [this, shift, ended = std::weak_ptr{errand},
                   alive = std::weak_ptr{alive_}](const ErrandResult& errand_result) {
                      if (!alive.lock()) return;
                      errands_.erase(ended.lock());
                      on_demand_.release(shift->meter);
                      auto& result = shift->result;
                      result.sent = shift->allowed && errand_result.what != What::unreached;
                      if (errand_result.what == What::unreached)
                          result.fault = errand_result.fault;
                      else if (errand_result.what == What::denied)
                          result.fault = "not_authentic", result.sent = false;
                      else if (errand_result.what == What::lost)
                          result.fault = "no_answer";
                      else if (errand_result.what == What::refused && errand_result.taken < 2)
                          result.fault = "refused";
                      else if (!shift->allowed)
                          result.fault = held_back;
                      shift->done(result);
                  });
}

}  // namespace wattmesh::headend::monitor
