#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/completeness.h"
#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::database {

using UtcDay = std::chrono::sys_days;

/// Missing intervals by reason.
using MissingCounts = std::array<std::int64_t, missing_reason_count>;

/// Numerators and denominators of completeness, in intervals.
struct CompletenessCounts {
    std::int64_t expected = 0, received = 0;
    std::int64_t first_try = 0;  ///< of `received`: without a failed read before
    /// Received when the day had been over for 8, 24 and 72 hours, and what of `expected` that is measured
    /// against: not known of what was counted later only.
    std::int64_t by_8h = 0, by_24h = 0, by_72h = 0, expected_8h = 0, expected_24h = 0, expected_72h = 0;
    int meters = 0, meters_complete = 0;  ///< meters of which anything was due
    MissingCounts missing{};
};
/// One field of the completeness board. An interval belongs to the day in which it ends; midnight ends the
/// day before.
struct CompletenessCell : CompletenessCounts {
    ConcentratorId concentrator;
    DeviceNumber number;
    UtcDay day{};
};
/// The same of an area or a meter model over several days; meters are then meter-days.
struct CompletenessGroup : CompletenessCounts {
    std::string name;
};
/// A meter that misses intervals of one day.
struct MissingMeter {
    DeviceNumber number;
    dcu::MeterRole role{};
    std::int64_t expected = 0, received = 0;
};
/// A meter that misses intervals of several days.
struct WorstMeter {
    DeviceNumber number;
    std::optional<DeviceNumber> concentrator;
    std::string model;
    int days = 0;
    std::int64_t intervals = 0;
    MissingCounts missing{};
};

/// What was due and is stored. Read only.
class CompletenessReader {
public:
    explicit CompletenessReader(Connection& connection) : connection_(connection) {}

    /// Every concentrator with meters, every day of [first, last], ordered by number and day, as counted by
    /// the worker (Aggregates): an open day is a few minutes behind, a day nobody counted is empty.
    std::vector<CompletenessCell> board(const ObisCode& profile, UtcDay first, UtcDay last);
    std::vector<CompletenessGroup> by_area(const ObisCode& profile, UtcDay first, UtcDay last);
    std::vector<CompletenessGroup> by_model(const ObisCode& profile, UtcDay first, UtcDay last);
    /// Meters by missing intervals of [first, last], most first. Outages and what is out of service do not
    /// count.
    std::vector<WorstMeter> worst(const ObisCode& profile, UtcDay first, UtcDay last, int count_max);
    /// Meters that missed something in each of the `months` calendar months (UTC) that end before `day`, most
    /// first.
    std::vector<WorstMeter> repeated(const ObisCode& profile, UtcDay day, int months, int count_max);

    /// Counted now. Intervals that end after `due` are not counted on either side.
    MissingMeter of_concentrator(ConcentratorId concentrator, const ObisCode& profile, UtcDay day,
                                 Instant due);
    /// Meters with expected > received, worst first.
    std::vector<MissingMeter> missing(ConcentratorId concentrator, const ObisCode& profile, UtcDay day,
                                      Instant due);
    /// One meter's expected and received of a day.
    MissingMeter of_meter(DeviceNumber number, const ObisCode& profile, UtcDay day, Instant due);

private:
    std::vector<CompletenessGroup> groups(const std::string& name, const std::string& join,
                                          const ObisCode& profile, UtcDay first, UtcDay last);
    std::vector<WorstMeter> worst_of(const std::string& from, int count_max);
    std::int64_t bank_of(const ObisCode& profile);

    Connection& connection_;
};

inline Instant start_of(UtcDay day) { return Instant{day}; }
inline Instant end_of(UtcDay day) { return Instant{day + std::chrono::days{1}}; }

}  // namespace wattmesh::headend::database
