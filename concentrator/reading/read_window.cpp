#include "concentrator/reading/read_window.h"

#include <algorithm>
#include <cassert>

namespace wattmesh::concentrator {
namespace {

Instant floor_to(Instant at, Duration step) {
    const auto rest = at.time_since_epoch() % step;
    return at - (rest < Duration{0} ? rest + step : rest);
}

Duration reach(const dcu::PlannedProfile& plan) {
    return period(plan) * (std::max<int>(plan.rows_max, 1) - 1);
}

}  // namespace

Instant round_end(Instant utc, const dcu::PlannedProfile& plan) {
    assert(plan.period_s > 0);
    return floor_to(utc - std::chrono::seconds{plan.delay_s}, period(plan));
}

NewestRead newest_read(Instant position, Instant end, const dcu::PlannedProfile& plan) {
    assert(position < end);
    const Instant first = end - reach(plan);
    const bool never_read = position == Instant{};
    const Instant wanted =
        never_read ? floor_to(end - std::chrono::seconds{plan.depth_s}, period(plan)) + period(plan)
                   : position + period(plan);
    if (wanted >= first) return {{std::min(wanted, end), end}, std::nullopt};
    return {{first, end}, Window{wanted, first - period(plan)}};
}

Window range_read(const PendingRange& range, const dcu::PlannedProfile& plan) {
    return {std::max(range.from, range.to - reach(plan)), range.to};
}

std::optional<PendingRange> after_read(PendingRange range, const Window& read,
                                       const dcu::PlannedProfile& plan) {
    range.to = std::min(range.to, read.from - period(plan));
    if (range.to < range.from) return std::nullopt;
    return range;
}

std::optional<Window> aligned(Window window, const dcu::PlannedProfile& plan) {
    const Instant from = floor_to(window.from + period(plan) - Duration{1}, period(plan));
    const Instant to = floor_to(window.to, period(plan));
    if (to < from) return std::nullopt;
    return Window{from, to};
}

}  // namespace wattmesh::concentrator
