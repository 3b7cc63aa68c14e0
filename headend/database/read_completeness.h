#pragma once
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::database {

using UtcDay = std::chrono::sys_days;

/// One field of the completeness board. An interval belongs to the day in which it ends; midnight ends the
/// day before.
struct CompletenessCell {
    ConcentratorId concentrator;
    DeviceNumber number;
    UtcDay day{};
    std::int64_t expected = 0, received = 0;
    int meters = 0, meters_complete = 0;
};
/// A meter that misses intervals of one day.
struct MissingMeter {
    DeviceNumber number;
    dcu::MeterRole role{};
    std::int64_t expected = 0, received = 0;
};

/// What was due and is stored. Intervals that end after `due` are not counted on either side. Read only.
class CompletenessReader {
public:
    explicit CompletenessReader(Connection& connection) : connection_(connection) {}

    /// Every concentrator with meters, every day of [first, last], ordered by number and day.
    std::vector<CompletenessCell> board(const ObisCode& profile, UtcDay first, UtcDay last, Instant due);
    /// Meters with expected > received, worst first.
    std::vector<MissingMeter> missing(ConcentratorId concentrator, const ObisCode& profile, UtcDay day,
                                      Instant due);
    /// One meter's expected and received of a day.
    MissingMeter of_meter(DeviceNumber number, const ObisCode& profile, UtcDay day, Instant due);

private:
    Connection& connection_;
};

inline Instant start_of(UtcDay day) { return Instant{day}; }
inline Instant end_of(UtcDay day) { return Instant{day + std::chrono::days{1}}; }

}  // namespace wattmesh::headend::database
