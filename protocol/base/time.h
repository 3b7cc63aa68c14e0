#pragma once
#include <chrono>

namespace wattmesh {

/// Microseconds since 1970-01-01 UTC. Cores never read a clock: an Instant is passed in.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

inline constexpr Instant never = Instant::max();

inline std::int64_t epoch_us(Instant at) { return at.time_since_epoch().count(); }
inline Instant from_epoch_us(std::int64_t us) { return Instant{Duration{us}}; }

}  // namespace wattmesh
