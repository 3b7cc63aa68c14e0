#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/dcu/journal.h"

namespace wattmesh::headend::database {

struct MeterCompleteness {
    MeterId meter;
    DeviceNumber number;
    std::int64_t expected = 0, stored = 0;
};
struct MissingRange {
    DeviceNumber number;
    Instant from{}, to{};  ///< first and last missing interval end
    std::string reason;    ///< word of dcu::ReadFault of the last failed read over it, "lost" or "not_read"
};

/// What should be there and what is, per meter, of one profile.
class Completeness {
public:
    explicit Completeness(Connection& connection) : connection_(connection) {}

    /// Interval ends in (from, to]; expected starts at the meter's installation.
    std::vector<MeterCompleteness> of(ConcentratorId concentrator, const ObisCode& profile, Instant from,
                                      Instant to);
    /// At most `count_max` ranges, ordered by number and time.
    std::vector<MissingRange> missing(ConcentratorId concentrator, const ObisCode& profile, Instant from,
                                      Instant to, int count_max);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
