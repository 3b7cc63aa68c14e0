#pragma once
#include "protocol/sts/token.h"

namespace wattmesh::sts {

/// The 16 bits at the end of a block, over class and the 48 bits before them: CRC-16 with x16+x15+x2+1
/// (reflected, from 0xFFFF), its octets swapped. Currency tokens add one octet 0x01 behind the rest, so that
/// they never pass for others. Source: IEC 62055-41, 6.3.7; the currency form is what published tokens show.
std::uint16_t checksum(const Block& block, bool currency);

/// Whether the block's own last 16 bits are its checksum.
inline bool checksum_holds(const Block& block, bool currency) {
    return static_cast<std::uint16_t>(block.bits) == checksum(block, currency);
}

}  // namespace wattmesh::sts
