#pragma once
#include <string>
#include <vector>

#include "headend/database/audit_mark.h"
#include "headend/vending/anchors.h"
#include "headend/vending/reconcile.h"
#include "headend/vending/seller.h"

namespace wattmesh::headend::vending {

struct Kept {
    int sealed = 0;
    bool compared = false;
    std::vector<std::string> alarms;  ///< for the log
};

/// Chains what was committed to the journal of sales, and keeps its end outside the database.
Kept seal(database::Connection& connection, const database::AuditMark& mark, Instant now);
/// Compares the module's calls with the sales, ends sales that were left for longer than `left_for`, and
/// looks at the limits of the vending keys.
Kept look_after(database::Connection& connection, Seller& seller, security::VendingModule& module,
                Instant now, Duration left_for);
/// Signs the last day that is due. That it cannot be signed is an alarm, and stops nothing else: an exception
/// comes only from a database that is away.
Kept anchor_day(database::Connection& connection, AnchorKeeper& keeper, Instant now);

/// The database was put back to an earlier day: the journal's end and its signed days that are kept in
/// `folder` give way to those that it has. False when it goes on from the mark.
bool begin_anew(database::Connection& connection, const database::AuditMark& mark,
                const std::filesystem::path& folder, const std::string& by, Instant now);

}  // namespace wattmesh::headend::vending
