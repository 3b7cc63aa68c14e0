#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

/// Why a reading is not there. As numbered in the schema (missing_day.reason).
enum class MissingReason : std::uint8_t {
    not_read,             ///< nobody tried, as far as is known
    no_route,             ///< the meter is not in the mesh, or its concentrator not connected
    no_answer,            ///< asked, and silent or cut off
    association_refused,  ///< the meter refused the association or the request
    wrong_key,            ///< an answer that is not authentic, or no key to ask with
    clock,                ///< rows came for instants that cannot be
    meter_fault,          ///< answers or rows that cannot be read or stored
    outage,               ///< no power at the meter
    out_of_service        ///< nobody expects it
};
inline constexpr std::size_t missing_reason_count = 9;
std::string_view to_string(MissingReason reason);

struct MeterCompleteness {
    MeterId meter;
    DeviceNumber number;
    std::int64_t expected = 0, stored = 0;
};
struct MissingRange {
    DeviceNumber number;
    Instant from{}, to{};  ///< first and last missing interval end
    MissingReason reason{};
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
