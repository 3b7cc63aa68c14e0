#pragma once
#include <vector>

#include "protocol/cosem/security_setup.h"
#include "terminal-sim/meter/objects/object.h"

/// What a Security setup has of certificates. Source: Blue Book ed. 14, 4.4.7.
namespace wattmesh::sim {

/// Attribute 6: the meter's own and the client's. [M] issuer and subject as their common names.
std::vector<cosem::security_setup::Certificate> certificates_of(const Meter& meter);
/// Methods 4 to 8. Nothing of them becomes a deed: the folder is the memory.
dlms::ActionOutcome call_certificates(Meter& meter, const SimObject::Call& what);

}  // namespace wattmesh::sim
