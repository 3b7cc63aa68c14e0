#pragma once
#include "platform/udp_socket.h"
#include "terminal-sim/meter/bench_port.h"

namespace wattmesh::sim {

/// A meter's DLMS port on UDP: one wrapper PDU per datagram, each peer (address and port) with associations
/// of its own.
///
/// A client that hears nothing sends its datagram again, and must not have it done twice: the same octets as
/// the last time from the same client of the same peer get the same answers, without asking the server. That
/// is right for ciphered APDUs, whose counter never comes twice, for the next block of a transfer, and for
/// SET and ACTION, where a client that means it twice takes another invoke-id. A plain GET of a whole value
/// (or ReadRequest) is done again: that harms nobody, and some clients never change their invoke-id.
class BenchDatagrams {
public:
    /// Throws platform::SocketError.
    BenchDatagrams(platform::Loop& loop, const std::string& address, std::uint16_t port,
                   BenchPort::MakeServer make_server, const BenchLimits& limits);
    std::uint16_t port() const { return socket_.port(); }
    std::size_t peers() const { return peers_.size(); }
    /// Datagrams that got the answers of the ones before them.
    std::uint64_t repeated() const { return repeated_; }

private:
    struct Exchange {
        Buffer request;
        std::vector<Buffer> answers;  ///< datagrams
    };
    struct Peer {
        explicit Peer(platform::Loop& loop) : idle(loop) {}
        std::shared_ptr<dlms::Server> server;
        std::map<Sap, Exchange> last;  ///< by client
        platform::Timer idle;
        std::uint64_t used = 0;
    };
    void receive(const platform::UdpPeer& from, Bytes datagram);
    Peer& peer_of(const platform::UdpPeer& from);
    void answer(const platform::UdpPeer& to, Sap client, Buffer apdu);

    platform::Loop& loop_;
    BenchPort::MakeServer make_server_;
    BenchLimits limits_;
    std::map<platform::UdpPeer, Peer> peers_;
    std::uint64_t uses_ = 0, repeated_ = 0;
    platform::UdpSocket socket_;
};

}  // namespace wattmesh::sim
