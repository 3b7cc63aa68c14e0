#pragma once
#include <stdexcept>

#include "headend/database/adjustments.h"
#include "headend/vending/shopfront.h"

namespace wattmesh::headend::vending {

/// Why nothing was done; what() is for people.
struct AdjustmentError : std::runtime_error {
    AdjustmentError(database::AdjustmentRefusal word, const std::string& words)
        : std::runtime_error(words), refusal(word) {}
    database::AdjustmentRefusal refusal;
};

/// What another person said of one that waits.
struct AdjustmentDecision {
    TenantId tenant{1};
    std::int64_t id = 0;
    bool yes = false;
    std::string by, why;
};

/// A write-off or a pay-out: posted at once, or, above `front.second_person_above`, waiting for another
/// person. One commit, with its audit record. Throws AdjustmentError.
database::Adjustment order_adjustment(database::Connection& connection,
                                      const database::AdjustmentOrder& order, const Shopfront& front,
                                      Instant now);
/// Posts or refuses one that waits, in one commit with the audit record. That it is another person who says
/// yes is for the caller to see to: here names are compared. Throws AdjustmentError.
database::Adjustment decide_adjustment(database::Connection& connection, const AdjustmentDecision& decision,
                                       Instant now);

std::string adjustment_json(const database::Adjustment& adjustment);

}  // namespace wattmesh::headend::vending
