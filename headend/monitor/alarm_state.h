#pragma once
#include "headend/database/alarms.h"

namespace wattmesh::headend::monitor {

/// Sets the state that follows from what holds of the alarm; a state of a higher rank hides the lower ones.
void settle(database::Alarm& alarm);

}  // namespace wattmesh::headend::monitor
