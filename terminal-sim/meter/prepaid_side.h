#pragma once
#include <optional>
#include <string>

#include "protocol/cosem/payment.h"
#include "terminal-sim/meter/prepaid_meter.h"

namespace wattmesh::sim {

/// The prepayment side of a meter: what it sold, and up to where it has counted. Everything in here follows
/// from the load and from deeds that are remembered, so a restart finds the same.
struct PrepaidSide {
    PrepaidMeter meter;
    std::int64_t counted = 0;  ///< import register in Wh, as it was counted last
    Instant counted_at{};
    bool held_open = false;            ///< by the head-end, whatever the balance
    std::optional<Instant> look_at{};  ///< when credit may run out, at the latest the end of the quarter hour

    /// What came last.
    std::string token{};
    Instant token_at{};  ///< the meter's time
    cosem::token_gateway::DeliveryMethod token_from{};
    sts::Refusal refusal{};
};

/// What a head-end reads from the token gateway; the refusal itself is in the eight bits of data_value.
cosem::token_gateway::TokenStatus token_status_of(sts::Refusal refusal);

/// Objects of prepayment that are more than one file's.
namespace prepaid_object {
inline constexpr ObisCode token_gateway{{0, 0, 19, 40, 0, 255}}, emergency_credit{{0, 0, 19, 10, 1, 255}};
}

}  // namespace wattmesh::sim
