#include "headend/monitor/clock_rules.h"

#include <algorithm>

namespace wattmesh::headend::monitor {
namespace {

using std::chrono::seconds;
constexpr Duration scan_step = seconds{10}, scan_span = std::chrono::hours{10},
                   whole_day = std::chrono::hours{24};

/// A jump has at least so long a time within an interval, or it need not lie within one.
constexpr Duration slot_least = std::chrono::minutes{1};

/// From the edges of an interval. Before and after the jump the clock must be clear of them: with more than a
/// quarter of the period some offsets would never find a moment.
Duration edge_of(const database::ClockTask& task) {
    const Duration most = std::max(task.period / 4 - slot_least / 2, Duration{});
    return std::min<Duration>(seconds{task.rule.edge_s}, most);
}

/// Whether a border, every `period` of the clock's own time, lies in [from, to].
bool holds_border(Instant from, Instant to, Duration period) {
    const auto before = [&](Instant at) {
        const auto since = at.time_since_epoch();
        return since / period - (since % period < Duration{} ? 1 : 0);
    };
    return before(from - Duration{1}) != before(to);
}

}  // namespace

bool may_set(const database::ClockTask& task, const database::ClockReading& reading, Instant at) {
    const Instant shown = at + reading.offset, low = std::min(at, shown), high = std::max(at, shown);
    const Duration from_midnight = seconds{task.rule.midnight_s}, from_edge = edge_of(task);
    const auto near = [&](Instant midnight) {
        return midnight >= low - from_midnight && midnight <= high + from_midnight;
    };
    if (std::ranges::any_of(task.midnights, near)) return false;
    const auto own = [&](Instant utc) { return utc - reading.behind_utc; };
    if (holds_border(own(low - from_midnight), own(high + from_midnight), whole_day)) return false;
    if (high - low + 2 * from_edge + slot_least <= task.period)
        return !holds_border(own(low - from_edge), own(high + from_edge), task.period);
    return !holds_border(own(low - from_edge), own(low + from_edge), task.period) &&
           !holds_border(own(high - from_edge), own(high + from_edge), task.period);
}

ClockVerdict judge(const database::ClockTask& task, const database::ClockReading& reading, Instant now) {
    using What = ClockVerdict::What;
    const Duration off = std::chrono::abs(reading.offset), from = seconds{task.rule.correct_from_s};
    if (off < from) return {What::right};
    if (off > seconds{task.rule.correct_to_s}) return {What::too_far};
    if (reading.uncertainty > from / 2) return {What::imprecise};
    for (Instant at = now; at < now + scan_span; at += scan_step)
        if (may_set(task, reading, at)) return {at == now ? What::set : What::wait, at};
    return {What::wait, now + scan_span};
}

int shift_s(Duration offset) { return -static_cast<int>(std::chrono::round<seconds>(offset).count()); }

}  // namespace wattmesh::headend::monitor
