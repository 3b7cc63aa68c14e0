#include "headend/frontend/lease.h"

#include <algorithm>

namespace wattmesh::headend::frontend {

Settled settle(Lease& lease, const Claim& claim) {
    const Lease before = lease;
    const bool mine = claim.by == lease.holder;
    const bool counted = claim.join_counter != 0 && claim.join_counter != lease.join_counter;
    const bool later =
        counted ? claim.join_counter > lease.join_counter : !claim.clock_doubtful && claim.at > lease.claimed;
    lease.join_counter = std::max(lease.join_counter, claim.join_counter);
    if ((mine || later) && !claim.clock_doubtful) lease.claimed = std::max(lease.claimed, claim.at);
    if (!mine && later) {
        lease.holder = claim.by;
        ++lease.term;
        lease.stored_to.reset();
    }
    // Whoever lost must hear of a join later than its own, or it goes on believing.
    if (!mine) lease.told_counter = lease.join_counter;
    if (lease.holder != before.holder) return Settled::moved;
    return lease == before ? Settled::unchanged : Settled::noted;
}

dcu::MeterLease told_to(const DeviceNumber& concentrator, const Lease& lease) {
    if (concentrator != lease.holder)
        return {.term = lease.term, .join_counter = lease.told_counter, .here = false, .stored_to = {}};
    return {.term = lease.term,
            .join_counter = 0,
            .here = true,
            .stored_to = lease.stored_to.value_or(Instant{})};
}

}  // namespace wattmesh::headend::frontend
