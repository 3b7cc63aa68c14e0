#pragma once
#include "headend/database/clocks.h"

namespace wattmesh::headend::monitor {

/// What is to be done with a clock.
struct ClockVerdict {
    enum class What : std::uint8_t {
        right,
        set,        ///< now
        wait,       ///< until `at`: now is too near to midnight or to the end of an interval
        too_far,    ///< somebody has to look at the meter
        imprecise,  ///< question and answer took too long to say
    } what{};
    Instant at{};
};

/// Whether a clock that is `offset` off may be set at the true time `at`. What it jumps over or shows twice
/// stays away from midnight, the utility's and its own. It also lies within one interval, away from its ends;
/// where the jump is too long for that, both its ends stay away from theirs.
bool may_set(const database::ClockTask& task, const database::ClockReading& reading, Instant at);
ClockVerdict judge(const database::ClockTask& task, const database::ClockReading& reading, Instant now);

/// Whole seconds that bring it right: the argument of shift_time.
int shift_s(Duration offset);

}  // namespace wattmesh::headend::monitor
