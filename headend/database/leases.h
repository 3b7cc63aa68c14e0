#pragma once
#include "headend/database/connection.h"
#include "headend/frontend/lease.h"

namespace wattmesh::headend::database {

/// Tables meter_lease and meter_visit.
class Leases {
public:
    explicit Leases(Connection& connection) : connection_(connection) {}

    /// Inside the transaction that stores the claim's event. Numbers that are no registered meter's (those of
    /// collectors) are passed over.
    frontend::Settled claim(DeviceNumber meter, ConcentratorId by, const frontend::Claim& claim);
    /// A meter of another concentrator of the same area has asked here: from now on it is on this one's list,
    /// too. A concentrator gets the keys of `visitors_max` such meters at most, however many it says it has
    /// heard; then the one it heard of longest ago, and has not got, makes room.
    void visit(DeviceNumber meter, ConcentratorId at, Instant now);
    static constexpr int visitors_max = 256;
    std::optional<frontend::Lease> find(DeviceNumber meter);

private:
    std::optional<Instant> stored_to(DeviceNumber meter, Instant now);
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
