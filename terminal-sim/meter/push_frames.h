#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/cosem/push_setup.h"
#include "terminal-sim/meter/gateway_door.h"

namespace wattmesh::sim {

/// The services over which a simulated meter pushes: wrapper on TCP or UDP, HDLC UI frames and M-Bus long
/// frames (both on TCP, as through a device server).
enum class PushLink : std::uint8_t { wrapper, udp, hdlc, mbus };
/// "wrapper", "udp", "hdlc" or "mbus".
std::optional<PushLink> push_link(std::string_view word);
inline constexpr const char* push_link_words = "wrapper, udp, hdlc or mbus";
std::string_view to_string(PushLink link);
/// transport_service_type of a Push setup and back; nothing for one that we do not have.
std::optional<PushLink> push_link(cosem::push_setup::TransportService service);
cosem::push_setup::TransportService service_of(PushLink link);

/// How an APDU becomes octets on the way to a listener.
struct PushRoute {
    PushLink link = PushLink::wrapper;
    Sap server = management_logical_device, client = management_client;
    std::size_t pdu_size_max = 0xFFFF;        ///< octets; a longer APDU goes in general blocks
    std::size_t information_size = 128;       ///< of an HDLC frame
    std::optional<GatewayAddress> gateway{};  ///< whose prefix goes in front of each APDU or block
};

/// What is sent, in order; on UDP each element is a datagram. An APDU beyond the PDU size goes in general
/// blocks that nobody acknowledges (window 0).
std::vector<Buffer> push_frames(const PushRoute& route, Bytes apdu);

}  // namespace wattmesh::sim
