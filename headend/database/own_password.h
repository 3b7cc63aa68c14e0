#pragma once
#include <string>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::database {

/// Sets the password of whoever holds this session, and ends every session of his: all that a role needs
/// which may not change accounts. False when there is no such session.
bool set_own_password(Connection& connection, Bytes session_token_hash, const std::string& password_hash);

}  // namespace wattmesh::headend::database
