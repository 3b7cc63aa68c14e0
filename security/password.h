#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/cipher.h"

namespace wattmesh::security {

/// scrypt (RFC 7914), N = 2^15, r = 8, p = 1: 32 MB and about 0.1 s, so never on a loop's thread. The result
/// holds its parameters and salt: `$scrypt$ln=15,r=8,p=1$salt$hash`.
std::string hash_password(std::string_view password, Random& random);

/// Constant time in the comparison. With nothing stored (an unknown user) it takes as long and is false, so
/// that names cannot be probed. Refuses parameters that cost more than 256 MB.
bool verify_password(std::string_view password, const std::optional<std::string>& stored);

/// True when `stored` is not what hash_password would make today.
bool password_is_outdated(std::string_view stored);

}  // namespace wattmesh::security
