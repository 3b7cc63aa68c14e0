#pragma once
#include <span>
#include <string_view>

#include "headend/database/alarms.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::monitor {

/// One type of alarm, as rationalised (ISA-18.2, 10): when it is raised and what to do about it.
struct AlarmRule {
    std::string_view word{}, title{};
    database::AlarmPriority priority{};
    std::string_view guidance{};  ///< what the operator should do
    Duration on_delay{};          ///< the sign must have stood so long
    Duration off_delay{};         ///< and been away so long
    double raise_at = 0;          ///< of signs with a value; clear_at < raise_at is the dead band
    double clear_at = 0;
    bool latched = false;       ///< stays until a person resets it
    bool explains = false;      ///< raises nothing else of what hangs on its object
    bool hidden_by = false;     ///< is not raised while something explains its object
    int roll_up_from = 0;       ///< so many of one place become one alarm of the place; 0: never
    std::string_view rolled{};  ///< "%d meters without contact under %s"
};

/// All of them, each with its own word.
std::span<const AlarmRule> alarm_rules();
const AlarmRule* find_alarm_rule(std::string_view word);

}  // namespace wattmesh::headend::monitor
