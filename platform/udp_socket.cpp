#include "platform/udp_socket.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <deque>
#include <utility>

#include "platform/acceptor.h"
#include "platform/loop_impl.h"

namespace wattmesh::platform {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr int reads_in_a_row_max = 16;  // then other links get their turn

udp::socket bind(Loop& loop, const UdpSettings& settings) {
    const auto name = to_string(UdpPeer{settings.address, settings.port});
    error_code error;
    const auto address = asio::ip::make_address(settings.address, error);
    if (error)
        throw SocketError("cannot listen on " + name + ": \"" + settings.address +
                          "\" is not a numeric IP address");
    const udp::endpoint end{address, settings.port};
    udp::socket socket{loop.impl().io};
    socket.open(end.protocol(), error);
    if (!error) socket.bind(end, error);
    if (!error) socket.non_blocking(true, error);
    if (error) throw SocketError("cannot listen on UDP " + name + ": " + error.message());
    return socket;
}

UdpPeer peer_of(const udp::endpoint& end) { return {end.address().to_string(), end.port()}; }

}  // namespace

std::string to_string(const UdpPeer& peer) {
    const bool v6 = peer.address.find(':') != std::string::npos;
    return (v6 ? "[" + peer.address + "]" : peer.address) + ":" + std::to_string(peer.port);
}

/// Outlives the UdpSocket while a wait is under way.
struct UdpSocket::Core : std::enable_shared_from_this<Core> {
    struct Outgoing {
        udp::endpoint to;
        Buffer octets;
    };

    Core(Loop& loop, UdpSettings with)
        : settings(std::move(with)),
          socket(bind(loop, settings)),
          resolver(loop.impl().io),
          scratch(settings.datagram_size_max + 1) {}

    void wait_readable() {
        socket.async_wait(udp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
            if (!error && !self->over) self->read();
        });
    }
    void read() {
        for (int round = 0; round < reads_in_a_row_max && !over; ++round) {
            error_code error;
            udp::endpoint from;
            const std::size_t count = socket.receive_from(asio::buffer(scratch), from, 0, error);
            if (error == asio::error::would_block) break;
            if (error) continue;  // what an earlier datagram of ours met on its way; nobody's here
            deliver(peer_of(from), Bytes{scratch}.first(count));
        }
        if (!over) wait_readable();
    }
    void deliver(const UdpPeer& peer, Bytes datagram) {
        if (datagram.size() > settings.datagram_size_max) return refuse(peer, "datagram is too long");
        const auto on_datagram = events.on_datagram;  // a copy: the owner may destroy the socket meanwhile
        if (!on_datagram) return;
        try {
            on_datagram(peer, datagram);
        } catch (const std::exception& failure) {
            refuse(peer, std::string{"the socket's owner failed: "} + failure.what());
        }
    }
    void refuse(const UdpPeer& peer, const std::string& reason) {
        const auto on_refused = events.on_refused;
        if (on_refused) on_refused(peer, reason);
    }

    bool send(const UdpPeer& peer, Bytes datagram) {
        error_code error;
        const auto address = asio::ip::make_address(peer.address, error);
        if (error || over || datagram.size() > settings.datagram_size_max ||
            queue.size() >= settings.queue_max)
            return false;
        const udp::endpoint to{address, peer.port};
        if (to.protocol() != socket.local_endpoint(error).protocol()) return false;
        queue.push_back({to, to_buffer(datagram)});
        if (queue.size() == 1) write();
        return true;
    }
    void write() {
        while (!queue.empty() && !over) {
            error_code error;
            socket.send_to(asio::buffer(queue.front().octets), queue.front().to, 0, error);
            if (error == asio::error::would_block) {
                socket.async_wait(udp::socket::wait_write, [self = shared_from_this()](const error_code&) {
                    if (!self->over) self->write();
                });
                return;
            }
            queue.pop_front();  // whatever became of it: it is a datagram
        }
    }

    void resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved) {
        error_code ignored;
        resolver.async_resolve(socket.local_endpoint(ignored).protocol(), host, std::to_string(port),
                               [self = shared_from_this(), host, on_resolved = std::move(on_resolved)](
                                   const error_code& error, const udp::resolver::results_type& ends) {
                                   if (self->over) return;
                                   if (error || ends.empty())
                                       return on_resolved(nullptr,
                                                          "cannot resolve " + host + ": " + error.message());
                                   const UdpPeer peer = peer_of(ends.begin()->endpoint());
                                   on_resolved(&peer, {});
                               });
    }
    void end() {
        over = true;
        events = {};
        error_code ignored;
        socket.close(ignored);
        resolver.cancel();
        queue.clear();
    }

    const UdpSettings settings;
    udp::socket socket;
    udp::resolver resolver;
    Buffer scratch;
    std::deque<Outgoing> queue;
    UdpEvents events;
    bool over = false;
};

UdpSocket::UdpSocket(Loop& loop, UdpSettings settings)
    : core_(std::make_shared<Core>(loop, std::move(settings))) {}
UdpSocket::~UdpSocket() { core_->end(); }

void UdpSocket::start(UdpEvents events) {
    core_->events = std::move(events);
    core_->wait_readable();
}
bool UdpSocket::send(const UdpPeer& peer, Bytes datagram) { return core_->send(peer, datagram); }
void UdpSocket::resolve(const std::string& host, std::uint16_t port, OnResolved on_resolved) {
    core_->resolve(host, port, std::move(on_resolved));
}
std::uint16_t UdpSocket::port() const {
    error_code ignored;
    return core_->socket.local_endpoint(ignored).port();
}

}  // namespace wattmesh::platform
