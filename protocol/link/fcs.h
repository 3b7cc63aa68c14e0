#pragma once
#include <cstdint>

#include "protocol/base/bytes.h"

namespace wattmesh::link {

/// FCS-16 = CRC-16/X-25: polynomial 1021 reflected, start FFFF, result inverted; "123456789" gives 906E. HDLC
/// and hello send the low octet first.
std::uint16_t fcs16(Bytes bytes);

}  // namespace wattmesh::link
