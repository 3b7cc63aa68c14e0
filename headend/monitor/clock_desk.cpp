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
    on_demand_.read(
        meter, id,
        [this, meter, id, done = std::move(done),
         alive = std::weak_ptr{alive_}](const OnDemandResult& first) mutable {
            if (!alive.lock()) return;
            if (!first.ok()) return done(first.fault, std::nullopt);
            on_demand_.read(meter, id, [this, done = std::move(done), alive](const OnDemandResult& second) {
                if (!alive.lock()) return;
                if (!second.ok()) return done(second.fault, std::nullopt);
                const auto shown = dlms::date_time(second.value);
                if (!shown) return done("malformed", std::nullopt);
                // It answered somewhere between question and answer.
                const Duration half = second.took / 2;
                const Instant at = now_() - half;
                done("",
                     database::ClockReading{.at = at,
                                            .offset = shown->at - at,
                                            .uncertainty = half,
                                            .behind_utc = std::chrono::minutes{shown->deviation_minutes}});
            });
        });
}

void ClockDesk::shift(DeviceNumber meter, int seconds, const std::string& actor,
                      std::function<void(const std::string&, bool)> done) {
    auto call = clock::shift_time(obis::clock, static_cast<std::int16_t>(seconds));
    MeterErrand::Call method{call.id, std::move(call.argument).value()};
    on_demand_.hold(meter, [this, meter, actor, method = std::move(method), done = std::move(done),
                            alive = std::weak_ptr{alive_}]() mutable {
        if (!alive.lock()) return;
        KeyRequest request{.meter = meter, .role = Role::management, .actor = actor};
        keys_.access(std::move(request), [this, meter, method = std::move(method), done = std::move(done),
                                          alive](KeyAnswer answer) mutable {
            if (!alive.lock()) return;
            if (const auto* fault = std::get_if<KeyFault>(&answer)) {
                on_demand_.release(meter);
                return done(std::string{to_string(*fault)}, false);
            }
            const auto errand = std::make_shared<MeterErrand>(meter, carry_, ciphers_, random_);
            errands_.insert(errand);
            errand->start(std::get<GuardedAccess>(std::move(answer)), radio_pdu_size_max, std::move(method),
                          true,
                          [this, meter, ended = std::weak_ptr{errand}, done = std::move(done),
                           alive](const ErrandResult& result) {
                              if (!alive.lock()) return;
                              errands_.erase(ended.lock());
                              on_demand_.release(meter);
                              if (result.what == What::done) return done("", true);
                              if (result.what == What::unreached) return done(result.fault, false);
                              if (result.what == What::denied) return done("not_authentic", false);
                              done(result.what == What::refused ? "refused" : "no_answer", true);
                          });
        });
    });
}

}  // namespace wattmesh::headend::monitor
