#pragma once
#include <string_view>

#include "headend/monitor/operations.h"

namespace wattmesh::headend::monitor {

/// What somebody may do with a meter through the key service.
enum class Role : std::uint8_t {
    reading,     ///< reads anything, changes nothing
    vending,     ///< Account (111), Credit (112) and Token gateway (115), nothing else
    management,  ///< everything but new keys; disconnects only as many as were granted
    rotation,  ///< key_transfer of Security setup (64), nothing else: keys go through the ledger, or are lost
};
std::string_view to_string(Role role);

/// HLS passes 3 and 4 (reply_to_HLS of the current association) are everybody's.
bool may(Role role, const Operation& operation);

/// Whether an operation can open the breaker, now or later: Disconnect control (70), Limiter (71), Register
/// monitor (21) and Arbitrator (68), the disconnector's script table (9, 0-b:10.0.106) and every change of
/// scripts, the disconnector's schedule and every change of what a single action schedule (22) runs.
/// Reconnecting is not meant. Source: Blue Book (DLMS UA 1000-1) ed. 12, 4.5; logical names 6.2.
bool can_disconnect(const Operation& operation);

/// Whether values of this class may name scripts to run: Schedule (10) and Activity calendar (20).
bool carries_scripts(const Operation& operation);

/// Looks for the logical names of disconnector and disconnector script table in such values, over the borders
/// of blocks.
class DisconnectorNames {
public:
    /// True when one ends within `octets`.
    bool in(Bytes octets);

private:
    Buffer tail_;  ///< last five octets of the block before
};

}  // namespace wattmesh::headend::monitor
