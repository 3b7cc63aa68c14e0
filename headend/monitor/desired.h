#pragma once
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/cipher.h"
#include "protocol/dcu/objects.h"
#include "security/master_key.h"

namespace wattmesh::headend::monitor {

/// What every concentrator should hold, apart from its own meters and keys.
struct Plan {
    std::vector<dcu::PlannedProfile> profiles;
    dcu::Limits limits;
};

struct Refreshed {
    std::vector<DeviceNumber>
        changed;  ///< concentrators whose wanted objects differ from what they confirmed
    std::vector<std::string>
        troubles;  ///< for the operator: keys that do not unwrap, lists that are too long
};

/// Computes meter list, wrapped keys, reading plan and limits of every concentrator from the registry and
/// stores what differs as the new desired state (design 2.4). Repeatable; runs on a database thread.
Refreshed refresh_desired(database::Connection& connection, const Plan& plan,
                          const security::MasterKey& master, Ciphers& ciphers, Instant now);

}  // namespace wattmesh::headend::monitor
