#pragma once
#include "headend/monitor/relay_desk.h"

namespace wattmesh::headend::monitor {

/// Which relay jobs go first: who paid, then whoever gets light again or is put back as he was, then the
/// rest.
inline constexpr int priority_after_sale = 100, priority_of_undo = 50;
inline constexpr int priority_of(RelayVerb verb) {
    return verb == RelayVerb::reconnect ? priority_of_undo : 0;
}

}  // namespace wattmesh::headend::monitor
