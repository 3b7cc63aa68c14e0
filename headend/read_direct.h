#pragma once
#include "platform/arguments.h"

namespace wattmesh::headend {

/// headend read --tcp: one attribute of a meter that stands on TCP, printed with its unit. Returns the exit
/// status.
int read_direct(const platform::Arguments& arguments);

}  // namespace wattmesh::headend
