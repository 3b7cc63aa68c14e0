#pragma once
#include <cstdint>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/cosem/push_setup.h"

namespace wattmesh::sim {

/// What a meter wants to have sent, and how its Push setup says that it is to be sent. Source: Blue Book
/// (DLMS UA 1000-1) ed. 14, 4.4.8.
struct PushOrder {
    Buffer apdu;  ///< plain DataNotification or EventNotification
    cosem::push_setup::Destination destination;
    Sap client;                            ///< push_client_sap
    std::uint8_t protection = 0;           ///< dlms::security_control bits to send with; 0: plain
    std::vector<cosem::Window> windows;    ///< communication_window; none: at any time
    std::uint16_t randomisation_s = 0;     ///< the first attempt is put off by up to this
    std::uint8_t retries = 0;              ///< after the first attempt
    std::uint16_t repetition_delay_s = 0;  ///< between two attempts
};

}  // namespace wattmesh::sim
