#include "terminal-sim/tool/push_listener.h"

namespace wattmesh::sim {

PushListener::PushListener(platform::Loop& loop, const std::string& address, std::uint16_t port,
                           PushLink link, OnPush on_push)
    : loop_(loop), link_(link), on_push_(std::move(on_push)) {
    if (link == PushLink::udp) {
        socket_ = std::make_unique<platform::UdpSocket>(
            loop, platform::UdpSettings{.address = address, .port = port});
        socket_->start(
            {[this](const platform::UdpPeer& from, Bytes datagram) { receive_datagram(from, datagram); },
             {}});
        return;
    }
    acceptor_ = std::make_unique<platform::Acceptor>(
        loop, platform::AcceptorSettings{.address = address, .port = port, .tls = {}});
    acceptor_->start([this](std::unique_ptr<platform::Link> opened) { take(std::move(opened)); }, {});
}

std::uint16_t PushListener::port() const { return socket_ ? socket_->port() : acceptor_->port(); }

void PushListener::take(std::unique_ptr<platform::Link> link) {
    if (connections_.size() >= peers_max) return;
    const int id = next_++;
    auto& made = connections_.emplace(id, Connection{std::move(link), PushAssembly{link_}}).first->second;
    made.link->start(
        {[this, id](Bytes octets) { receive(id, octets); }, [this, id](const std::string&) { over(id); }});
}

void PushListener::receive(int id, Bytes octets) {
    Connection& from = connections_.at(id);
    hand_out(from.link->peer_address(), from.assembly.feed(octets, loop_.now()));
    if (from.assembly.broken()) from.link->close();
}

void PushListener::over(int id) {
    const auto found = connections_.find(id);
    hand_out(found->second.link->peer_address(), found->second.assembly.end());
    connections_.erase(found);
}

void PushListener::receive_datagram(const platform::UdpPeer& from, Bytes datagram) {
    if (peers_.size() >= peers_max && !peers_.contains(from)) peers_.erase(peers_.begin());
    auto& assembly = peers_.try_emplace(from, link_).first->second;
    hand_out(platform::to_string(from), assembly.feed_datagram(datagram));
}

void PushListener::hand_out(const std::string& peer, const std::vector<PushAssembly::Push>& pushes) {
    for (const auto& push : pushes) on_push_(peer, push);
}

}  // namespace wattmesh::sim
