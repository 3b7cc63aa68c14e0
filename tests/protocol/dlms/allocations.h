#pragma once
#include <cstddef>

namespace wattmesh::dlms::test {

/// Calls of operator new in this program so far.
std::size_t allocations();

}  // namespace wattmesh::dlms::test
