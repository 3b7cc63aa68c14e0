#pragma once
#include <map>
#include <string>
#include <vector>

#include "headend/console/context.h"
#include "headend/console/json.h"
#include "headend/database/read_completeness.h"
#include "headend/database/read_meters.h"
#include "headend/database/read_overview.h"

/// Pieces of answers that several routes share.
namespace wattmesh::headend::console {

/// "online", "offline", "never", "revoked".
std::string state_word(const database::Concentrator& concentrator);
/// "joined", "lost", "unseen".
std::string state_word(const database::MeterPlace& place);
std::string_view role_word(dcu::MeterRole role);

void write(Json& json, const database::ConcentratorLine& line, const database::CompletenessCounts& today);

/// [{reason, intervals}, ...] of the reasons that occur, largest first.
void write(Json& json, const database::MissingCounts& counts);
database::MissingCounts counts_of(const std::vector<database::MissingRange>& ranges);
/// The reason of most of them; not_read where there is none.
database::MissingReason main_reason(const database::MissingCounts& counts);
/// At most this many ranges of one concentrator and day are looked at.
inline constexpr int ranges_max = 5'000;
inline constexpr Duration interval_period = std::chrono::minutes{15};

}  // namespace wattmesh::headend::console
