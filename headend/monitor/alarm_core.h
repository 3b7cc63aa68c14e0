#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/alarm_facts.h"
#include "headend/monitor/alarm_rules.h"

namespace wattmesh::headend::monitor {

/// What stands now; what is not told any more is over.
using AlarmSign = database::AlarmFact;

/// One look: what of `known` (all that is not normal, and what returned within `alarm_memory`) changes, and
/// what is new. Pure: the same look twice changes nothing the second time. At most `alarm_flood_max` alarms
/// of one rule come of one look as long as there is a place to gather them at.
std::vector<database::AlarmChange> look_at_alarms(std::vector<database::Alarm> known,
                                                  std::vector<AlarmSign> signs, Instant now);
inline constexpr Duration alarm_memory = std::chrono::minutes{10};
inline constexpr std::size_t alarm_flood_max = 10;

/// What a person does to an alarm.
struct AlarmAct {
    enum class Verb { acknowledge, comment, shelve, unshelve, take_out, put_in, assign, reset };
    Verb verb{};
    std::string by;
    std::string text{};  ///< reason or comment
    Instant until{};     ///< of shelve
    std::string whom{};  ///< of assign; empty: nobody
};
std::string_view to_string(AlarmAct::Verb verb);
std::optional<AlarmAct::Verb> parse_alarm_verb(std::string_view word);
inline constexpr Duration alarm_shelf_max = std::chrono::hours{8};

/// Changes the alarm and says what goes to its journal; nothing when the act makes no sense in this state.
std::optional<database::AlarmNote> act(database::Alarm& alarm, const AlarmAct& act, Instant now);

}  // namespace wattmesh::headend::monitor
