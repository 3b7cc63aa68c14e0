#pragma once
#include <map>
#include <string>

#include "protocol/base/bytes.h"

namespace wattmesh::iec104 {

/// tests/vectors/iec104.txt by name ("frame GI act"). Throws when it cannot be read.
const std::map<std::string, Buffer>& vectors();
/// Throws std::out_of_range for a name that is not there.
Bytes vector(const std::string& name);

}  // namespace wattmesh::iec104
