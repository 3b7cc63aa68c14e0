#pragma once
#include "headend/database/vend_journal.h"
#include "security/vending_module.h"

namespace wattmesh::headend::vending {

struct Compared {
    std::uint64_t calls = 0;                     ///< looked at
    std::vector<database::ForeignCall> foreign;  ///< that no sale asked for
};

/// Compares every call that the module made since the last time with the sales. A call that no sale asked for
/// is noted, and its meter's next token gets an identifier above it: after a database was put back to an
/// older state, no identifier is given out twice; otherwise somebody else used the module. Before the first
/// sale of a process, and then now and again.
Compared compare_with_module(database::Connection& connection, security::VendingModule& module, Instant now);

}  // namespace wattmesh::headend::vending
