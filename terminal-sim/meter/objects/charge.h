#pragma once
#include "terminal-sim/meter/objects/object.h"

namespace wattmesh::sim {

/// The charge of every simulated meter that has one: 0.01 of the currency for each Wh taken, by nobody else's
/// tariff. The same with and without prepayment.
dlms::ReadOutcome read_charge(const Meter& meter, const SimObject::Read& what);

}  // namespace wattmesh::sim
