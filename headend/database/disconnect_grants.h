#pragma once
#include <optional>
#include <string>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// Operations that can open a breaker, within a sliding hour.
struct DisconnectCaps {
    int total = 100;      ///< of the whole head-end
    int per_feeder = 50;  ///< of the meters of one feeder; a meter of which nobody knows the feeder has none
};

/// Tables disconnect_grant and disconnect_cap: how many operations that can open a breaker were granted in
/// the last hour, by all processes together. A restart forgets nothing.
class DisconnectGrants {
public:
    explicit DisconnectGrants(Connection& connection) : connection_(connection) {}

    /// Owns its transaction. True: granted and counted, used or not. False: it would be more than a cap; the
    /// first refusal of an hour also writes an alarm to the audit log. `operations` > 0.
    bool acquire(MeterId meter, DeviceNumber number, const std::string& actor, int operations,
                 const DisconnectCaps& caps, Instant now);
    /// When the oldest grant of the last hour stops to count; nothing when there is none.
    std::optional<Instant> next_free(Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
