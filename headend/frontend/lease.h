#pragma once
#include <optional>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/dcu/objects.h"

/// Which concentrator has a meter that several can reach: the head-end settles it from their journals.
namespace wattmesh::headend::frontend {

/// One meter's lease. Without any it belongs to the concentrator it is registered at.
struct Lease {
    DeviceNumber holder;
    std::uint32_t term = 0;          ///< counts moves
    std::uint32_t join_counter = 0;  ///< highest that anybody claimed with
    std::uint32_t told_counter = 0;  ///< what those without it are told (dcu::MeterLease)
    Instant claimed{};               ///< newest claim with a trusted clock
    std::optional<Instant> stored_to{};
    friend bool operator==(const Lease&, const Lease&) = default;
};
/// A `meter_joined` in a concentrator's journal.
struct Claim {
    DeviceNumber by;
    std::uint32_t join_counter = 0;  ///< 0: the meter hangs on a collector's wire
    Instant at{};
    bool clock_doubtful = false;
};
enum class Settled {
    unchanged,
    noted,  ///< the holder stays; what is remembered of it has changed
    moved,  ///< to the claimant; `stored_to` is for the caller to set
};

/// The meter counts its joins, keeps the count over everything, and signs it: two concentrators never hold
/// the same, and the higher one is where the meter went later, in whatever order the journals come and
/// whatever the clocks say. Over a wire nothing is counted: there the later instant holds.
Settled settle(Lease& lease, const Claim& claim);

/// What `concentrator`'s meter list says of it. Changes only when the meter moves or a claim is refused, not
/// with every join.
dcu::MeterLease told_to(const DeviceNumber& concentrator, const Lease& lease);

}  // namespace wattmesh::headend::frontend
