#pragma once
#include <map>
#include <string>
#include <vector>

#include "headend/console/context.h"
#include "headend/console/json.h"
#include "headend/database/completeness.h"
#include "headend/database/read_meters.h"
#include "headend/database/read_overview.h"

/// Pieces of answers that several routes share.
namespace wattmesh::headend::console {

/// "online", "offline", "never", "revoked".
std::string state_word(const database::Concentrator& concentrator);
/// "joined", "lost", "unseen".
std::string state_word(const database::MeterPlace& place);
std::string_view role_word(dcu::MeterRole role);

/// Expected and received of one concentrator over a day.
struct Completed {
    std::int64_t expected = 0, received = 0;
};
void write(Json& json, const database::ConcentratorLine& line, const Completed& today);

/// Counts of missing intervals by reason over a day, largest first. A range that was not read while its
/// concentrator is offline has that as its reason.
using ReasonCounts = std::vector<std::pair<std::string, std::int64_t>>;
ReasonCounts reasons(const std::vector<database::MissingRange>& ranges, bool online);
void write(Json& json, const ReasonCounts& counts);
std::string reason_of(const database::MissingRange& range, bool online);
std::int64_t intervals_in(const database::MissingRange& range);
/// At most this many ranges of one concentrator and day are looked at.
inline constexpr int ranges_max = 5'000;
inline constexpr Duration interval_period = std::chrono::minutes{15};

}  // namespace wattmesh::headend::console
