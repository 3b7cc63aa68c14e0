#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::headend::monitor {

/// Why readings of a range are not there.
enum class MissingReason {
    not_yet_due,           ///< the concentrator still has time to read them
    concentrator_offline,  ///< it is not connected now
    not_enrolled,          ///< the meter's concentrator never logged in
    no_key,                ///< the head-end holds no reading keys of the meter
    outage,                ///< the meter had no power
    not_joined,            ///< the meter is not in the mesh
    no_answer,
    not_authentic,
    refused,
    malformed,     ///< how the last read over the range ended
    lost_entries,  ///< the journal was overwritten before it was copied
    not_read,      ///< nobody tried yet
};
std::string_view to_string(MissingReason reason);

struct Missing {
    DeviceNumber meter;
    Instant from{}, to{};  ///< first and last missing interval end
    MissingReason reason{};
};

struct MeterScore {
    DeviceNumber meter;
    std::int64_t expected = 0, stored = 0;
};

/// Expected against stored of one concentrator and profile, interval ends in (from, to].
struct ConcentratorCompleteness {
    std::vector<MeterScore> meters;
    std::vector<Missing> missing;  ///< at most `missing_max`, ordered by meter and time
};
ConcentratorCompleteness completeness(database::Connection& connection, DeviceNumber concentrator,
                                      const ObisCode& profile, Instant from, Instant to, Instant now,
                                      int missing_max = 10'000);

struct BackfillSettings {
    Duration due_after = std::chrono::minutes{30};  ///< an interval counts as a gap this long after its end
    Duration stands_for =
        std::chrono::minutes{30};  ///< and is ordered again when it did not close by itself for this long
    Duration depth = std::chrono::days{2};
    std::size_t ranges_max = 256;  ///< in one order
};

/// Orders the re-reading of gaps that do not close by themselves. Remembers what it saw; one object, any one
/// thread at a time.
class Backfill {
public:
    Backfill(BackfillSettings settings, ObisCode profile) : settings_(settings), profile_(profile) {}
    /// Looks at every concentrator and returns those that have a new order.
    std::vector<DeviceNumber> look(database::Connection& connection, Instant now);
    /// Of what is missing now, what has stood still for long enough. Also what is ordered (again).
    std::vector<dcu::BackfillRange> overdue(const std::vector<Missing>& missing, Instant now);

private:
    using Gap = std::tuple<DeviceNumber, Instant, Instant>;
    BackfillSettings settings_;
    ObisCode profile_;
    std::map<Gap, Instant> seen_;  ///< since when, or since it was ordered last
};

}  // namespace wattmesh::headend::monitor
