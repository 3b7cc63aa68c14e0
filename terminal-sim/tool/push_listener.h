#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "platform/acceptor.h"
#include "platform/udp_socket.h"
#include "terminal-sim/tool/push_assembly.h"

namespace wattmesh::sim {

/// Where meters push to: takes connections or datagrams and hands out each push. Says nothing back.
class PushListener {
public:
    using OnPush = std::function<void(const std::string& peer, const PushAssembly::Push& push)>;
    /// Throws platform::SocketError.
    PushListener(platform::Loop& loop, const std::string& address, std::uint16_t port, PushLink link,
                 OnPush on_push);
    std::uint16_t port() const;

private:
    struct Connection {
        std::unique_ptr<platform::Link> link;
        PushAssembly assembly;
    };
    void take(std::unique_ptr<platform::Link> link);
    void receive(int id, Bytes octets);
    void over(int id);
    void receive_datagram(const platform::UdpPeer& from, Bytes datagram);
    void hand_out(const std::string& peer, const std::vector<PushAssembly::Push>& pushes);

    static constexpr std::size_t peers_max = 256;
    platform::Loop& loop_;
    PushLink link_;
    OnPush on_push_;
    std::map<int, Connection> connections_;
    int next_ = 0;
    std::map<platform::UdpPeer, PushAssembly> peers_;
    std::unique_ptr<platform::Acceptor> acceptor_;
    std::unique_ptr<platform::UdpSocket> socket_;
};

}  // namespace wattmesh::sim
