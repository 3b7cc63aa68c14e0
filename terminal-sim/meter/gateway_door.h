#pragma once
#include <optional>
#include <string_view>

#include "protocol/base/bytes.h"

namespace wattmesh::sim {

/// A meter's place behind a DLMS gateway (protocol/link, gateway prefix): network and physical address.
struct GatewayAddress {
    std::uint8_t network = 0;
    Buffer address;  ///< 1 to 32 octets
    friend bool operator==(const GatewayAddress&, const GatewayAddress&) = default;
};
/// "3:540000000341" (the characters are the address) or "0:0x123456789012" (its octets).
std::optional<GatewayAddress> gateway_address(std::string_view text);

// Without an address both ways are as they are without a gateway.
/// The APDU, when this is a request to us.
std::optional<Buffer> out_of_request(const std::optional<GatewayAddress>& own, Bytes payload);
/// The APDU, when this is an answer or a push of the meter there.
std::optional<Buffer> out_of_answer(const std::optional<GatewayAddress>& meter, Bytes payload);
Buffer as_request(const std::optional<GatewayAddress>& meter, Buffer apdu);
Buffer as_answer(const std::optional<GatewayAddress>& own, Buffer apdu);

}  // namespace wattmesh::sim
