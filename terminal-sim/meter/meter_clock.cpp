#include "terminal-sim/meter/meter_clock.h"

namespace wattmesh::sim {

MeterClock::MeterClock(Instant installed_at, Duration offset, std::int32_t drift_ppm)
    : drift_ppm_(drift_ppm), settings_{{installed_at, installed_at + offset}} {}

Duration MeterClock::drift(Duration elapsed) const {
    return Duration{elapsed.count() / 1'000'000 * drift_ppm_ +
                    elapsed.count() % 1'000'000 * drift_ppm_ / 1'000'000};
}

Instant MeterClock::shown(Instant true_time) const {
    const Duration elapsed = true_time - settings_.back().true_at;
    return settings_.back().shown + elapsed + drift(elapsed);
}

Instant MeterClock::true_time(Instant shown) const {
    const Setting& present = settings_.back();
    Instant guess = present.true_at + (shown - present.shown);
    // the error shrinks by the factor drift_ppm / 10^6 each time
    for (int i = 0; i < 8; ++i) guess += shown - this->shown(guess);
    while (this->shown(guess) < shown) guess += Duration{1};
    return guess;
}

}  // namespace wattmesh::sim
