#pragma once
#include <compare>
#include <functional>
#include <memory>
#include <string>

#include "platform/loop.h"
#include "protocol/base/bytes.h"

namespace wattmesh::platform {

/// Where a datagram came from or goes to. `address` is numeric, as the system writes it.
struct UdpPeer {
    std::string address{};
    std::uint16_t port = 0;
    friend auto operator<=>(const UdpPeer&, const UdpPeer&) = default;
};
/// For logs: "127.0.0.1:4059", "[::1]:4059".
std::string to_string(const UdpPeer& peer);

struct UdpSettings {
    std::string address = "127.0.0.1";       ///< numeric; "0.0.0.0" or "::" for all
    std::uint16_t port = 0;                  ///< 0: the system chooses, see UdpSocket::port()
    std::size_t datagram_size_max = 65'507;  ///< octets, both ways; longer ones are refused
    std::size_t queue_max = 256;             ///< datagrams that wait for the network
};

/// Always on the loop's thread. Each may destroy the socket.
struct UdpEvents {
    /// The octets live only during the call. An exception out of it goes to on_refused as the reason.
    std::function<void(const UdpPeer&, Bytes)> on_datagram;
    /// A datagram that came to nothing, for a counter and a log.
    std::function<void(const UdpPeer&, const std::string& reason)> on_refused;
};

/// A UDP socket on a loop. Nothing says that a datagram arrives, arrives once, or in order: that is for
/// whoever sends to see to.
class UdpSocket {
public:
    using OnResolved = std::function<void(const UdpPeer* peer, const std::string& reason)>;

    /// Binds; throws SocketError (platform/acceptor.h).
    UdpSocket(Loop& loop, UdpSettings settings);
    ~UdpSocket();
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;

    /// Once: from here datagrams are delivered. What arrived before is kept, as far as the system has room.
    void start(UdpEvents events);
    /// False, and nothing is sent, when the datagram is too long, the peer's address is not one for this
    /// socket, or too many wait.
    bool send(const UdpPeer& peer, Bytes datagram);
    /// Looks a name up away from the loop's thread: a peer that this socket can send to, or null and why not.
    void resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved);
    std::uint16_t port() const;

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
