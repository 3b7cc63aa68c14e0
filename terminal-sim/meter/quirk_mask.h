#pragma once
#include "protocol/base/bytes.h"
#include "protocol/dlms/quirks.h"

namespace wattmesh::sim {

/// What a meter with these quirks makes of an APDU of its own as it goes on the wire: user-information left
/// out of the AARE, a wrong length in the RLRE, the title left out of general-glo, one row less counted than
/// there are in a plain array. The other quirks are shown where their content is made.
Buffer with_quirks(const dlms::Quirks& quirks, Buffer apdu);

}  // namespace wattmesh::sim
