#pragma once
#include <chrono>
#include <optional>

#include "protocol/base/time.h"

namespace wattmesh::platform {

/// Where programs get the time from; cores get Instants.
class Clock {
public:
    virtual ~Clock() = default;
    /// Simulated time. Any thread.
    virtual Instant now() const = 0;
    /// How long a simulated duration takes in reality; never negative.
    virtual std::chrono::nanoseconds real(Duration simulated) const = 0;
};

/// Time that runs `speed` times as fast as real time and equals it at `origin`, so that several programs
/// started with the same `--speed` and `--origin` agree: simulated = origin + (real - origin) * speed. At
/// speed 1 it follows the system's clock, corrections included; otherwise it is read once and then runs
/// steadily.
class ScaledClock : public Clock {
public:
    static constexpr double speed_min = 0.01, speed_max = 100'000;
    /// Throws std::invalid_argument when `speed` is out of range. Without `origin` it is the present.
    explicit ScaledClock(double speed = 1, std::optional<Instant> origin = std::nullopt);
    Instant now() const override;
    std::chrono::nanoseconds real(Duration simulated) const override;
    double speed() const { return speed_; }

private:
    double speed_;
    Instant start_simulated_;
    std::chrono::steady_clock::time_point start_real_;
};

}  // namespace wattmesh::platform
