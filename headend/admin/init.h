#pragma once
#include <filesystem>
#include <string>

#include "platform/settings.h"
#include "protocol/base/cipher.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::admin {

struct InitRequest {
    std::filesystem::path folder;  ///< new, or empty: everything of the head-end that is not in the database
    std::string database;          ///< libpq keywords; user and password in it are not kept
    platform::HostPort uplink, console;
    std::filesystem::path share;  ///< holds schema/ and headend/console/; found beside the program when empty
};

/// `headend init`: makes the master key, the certificate authority, the uplink's server certificate and
/// headend.properties with fresh passwords for the database roles, all mode 0600. Throws std::runtime_error
/// naming what is in the way. Returns the path of headend.properties.
std::filesystem::path init(const InitRequest& request, Random& random, Instant now);

}  // namespace wattmesh::headend::admin
