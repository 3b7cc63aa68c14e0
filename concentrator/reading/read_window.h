#pragma once
#include <optional>

#include "concentrator/journal/journal_store.h"
#include "protocol/dcu/objects.h"

/// Which rows the next GET asks for. Rows carry the end of their period; both bounds belong to a window.
namespace wattmesh::concentrator {

struct Window {
    Instant from{}, to{};
    friend bool operator==(const Window&, const Window&) = default;
};

inline Duration period(const dcu::PlannedProfile& plan) { return std::chrono::seconds{plan.period_s}; }

/// End of the newest period that is over since `delay_s`. The plan's period is > 0.
Instant round_end(Instant utc, const dcu::PlannedProfile& plan);

struct NewestRead {
    Window window;
    std::optional<Window> left_behind;  ///< what does not fit in one answer: read later
};
/// The newest rows first: at most `rows_max` up to `end`, what is older and not read yet is left behind.
/// `position` zero: never read, left behind as deep as the plan says.
NewestRead newest_read(Instant position, Instant end, const dcu::PlannedProfile& plan);

/// The newest part of a pending range that fits in one answer.
Window range_read(const PendingRange& range, const dcu::PlannedProfile& plan);
/// What is left of it then.
std::optional<PendingRange> after_read(PendingRange range, const Window& read,
                                       const dcu::PlannedProfile& plan);

/// Rows of the plan's grid inside [from, to]; nothing when there is none.
std::optional<Window> aligned(Window window, const dcu::PlannedProfile& plan);

}  // namespace wattmesh::concentrator
