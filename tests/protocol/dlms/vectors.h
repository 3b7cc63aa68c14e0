#pragma once
#include <map>
#include <string>

#include "protocol/base/bytes.h"

namespace wattmesh::dlms::test {

/// Octets of one message of tests/vectors/dlms.json; an unknown id fails the test.
Buffer vector(const std::string& id);
/// A value of high-level security of the same file.
Buffer hls_value(const std::string& name);
/// Every message by id.
const std::map<std::string, Buffer>& vectors();

/// Octets of hexadecimal text; malformed text fails the test.
Buffer octets(std::string_view hex);

}  // namespace wattmesh::dlms::test
