#pragma once
#include <memory>
#include <optional>

#include "platform/clock.h"
#include "platform/settings.h"

namespace wattmesh::sim {

/// The clock that --speed and --origin (Unix seconds) describe.
std::shared_ptr<const platform::ScaledClock> clock_of(const platform::Settings& settings);

/// Unix seconds or 2026-11-22T10:00:00Z.
std::optional<Instant> parse_instant(const std::string& text);

}  // namespace wattmesh::sim
