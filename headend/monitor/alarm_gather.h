#pragma once
#include <map>
#include <vector>

#include "headend/monitor/alarm_core.h"

namespace wattmesh::headend::monitor {

/// A sign, or many of one place as one.
struct GatheredSign {
    AlarmSign sign;
    std::vector<database::AlarmObject> absorbed;  ///< those that it stands for
};

/// Gathers the signs of one rule: `roll_up_from` of them at one place, all at a place that `standing` says
/// has such an alarm already, and ever larger places while more than alarm_flood_max are left.
std::vector<GatheredSign> gather(const AlarmRule& rule, std::vector<AlarmSign> signs,
                                 const std::vector<database::AlarmObject>& standing);

}  // namespace wattmesh::headend::monitor
