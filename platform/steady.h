#pragma once
#include "protocol/base/time.h"

namespace wattmesh::platform {

/// Real time that never jumps and is never speeded up, from an arbitrary beginning: for time-outs of
/// protocols with programs outside of a simulation. Any thread.
Instant steady_now();

}  // namespace wattmesh::platform
