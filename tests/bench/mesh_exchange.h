#pragma once
#include <cstddef>

namespace wattmesh::bench {

/// Application octets (sap u8 | APDU) of the product's real read in steady state: pre-established ciphered
/// association, one GET by range for the quarter hour that has just ended, one answer.
struct Exchange {
    std::size_t down = 0, up = 0;
};
/// Makes it once between the concentrator's client and a simulated meter. Throws when the meter refuses.
Exchange real_exchange();

}  // namespace wattmesh::bench
