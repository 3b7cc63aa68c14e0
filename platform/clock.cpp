#include "platform/clock.h"

#include <algorithm>
#include <stdexcept>

namespace wattmesh::platform {

namespace {
Instant system_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
Duration scaled(std::chrono::nanoseconds real, double speed) {
    // long double: microseconds since 1970 times the speed need more than 53 bits
    return Duration{static_cast<std::int64_t>(static_cast<long double>(real.count()) * speed / 1000)};
}
}  // namespace

ScaledClock::ScaledClock(double speed, std::optional<Instant> origin)
    : speed_(speed), start_real_(std::chrono::steady_clock::now()) {
    if (!(speed >= speed_min && speed <= speed_max)) {
        throw std::invalid_argument("speed must be between 0.01 and 100000");
    }
    const Instant real = system_now();
    start_simulated_ = real;
    if (origin) start_simulated_ = *origin + scaled(real - *origin, speed);
}

Instant ScaledClock::now() const {
    if (speed_ == 1) return system_now();
    return start_simulated_ + scaled(std::chrono::steady_clock::now() - start_real_, speed_);
}

std::chrono::nanoseconds ScaledClock::real(Duration simulated) const {
    constexpr long double limit = 9e18L;
    const long double nanoseconds =
        static_cast<long double>(std::max(simulated, Duration{0}).count()) * 1000 / speed_;
    return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(nanoseconds, limit))};
}

}  // namespace wattmesh::platform
