#pragma once
#include "protocol/base/id.h"

namespace wattmesh::headend::frontend {

/// One accepted connection, as its owner numbers it.
using LinkId = Id<struct LinkTag, std::uint64_t>;

}  // namespace wattmesh::headend::frontend
