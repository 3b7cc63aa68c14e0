#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/time.h"

namespace wattmesh::sim {

/// A meter's own clock: true time plus an offset that drifts, and the settings it got since.
class MeterClock {
public:
    struct Setting {
        Instant true_at{}, shown{};  ///< at `true_at` the clock showed `shown`
        friend bool operator==(const Setting&, const Setting&) = default;
    };
    /// `drift_ppm` > 0: the clock gains. `offset`: what it showed too much when installed.
    MeterClock(Instant installed_at, Duration offset, std::int32_t drift_ppm);

    Instant shown(Instant true_time) const;
    /// The first true instant of the present setting at which the clock shows `shown` or more.
    Instant true_time(Instant shown) const;
    /// From `true_time` on the clock shows `shown` and drifts from there.
    void set(Instant true_time, Instant shown) { settings_.push_back({true_time, shown}); }

    /// The last one is present; the first is the installation.
    const std::vector<Setting>& settings() const { return settings_; }

private:
    Duration drift(Duration elapsed) const;

    std::int32_t drift_ppm_;
    std::vector<Setting> settings_;
};

}  // namespace wattmesh::sim
