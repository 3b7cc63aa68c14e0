#include "terminal-sim/meter/bench_port.h"

#include <array>

#include "platform/log.h"
#include "terminal-sim/meter/bench_connection.h"
#include "terminal-sim/meter/bench_datagrams.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"meter.port"};
    return source;
}

constexpr std::array<std::string_view, 4> words{"wrapper", "hdlc", "udp", "mode-e"};

}  // namespace

std::optional<LinkKind> link_kind(std::string_view word) {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (word == words[i]) return static_cast<LinkKind>(i);
    return std::nullopt;
}

std::string_view to_string(LinkKind kind) { return words.at(static_cast<std::size_t>(kind)); }

BenchPort::BenchPort(platform::Loop& loop, const std::string& address, std::uint16_t port, LinkKind kind,
                     MakeServer make_server, BenchLimits limits)
    : loop_(loop), kind_(kind), limits_(std::move(limits)), make_server_(std::move(make_server)) {
    if (kind == LinkKind::udp) {
        datagrams_ = std::make_unique<BenchDatagrams>(loop, address, port, make_server_, limits_);
        return;
    }
    acceptor_ = std::make_unique<platform::Acceptor>(
        loop, platform::AcceptorSettings{.address = address, .port = port, .tls = {}});
    acceptor_->start([this](std::unique_ptr<platform::Link> link) { take(std::move(link)); },
                     [](const std::string& peer, const std::string& reason) {
                         log().warning("refused connection peer={} reason={}", peer,
                                       platform::quoted(reason));
                     });
}

BenchPort::~BenchPort() = default;

std::uint16_t BenchPort::port() const { return datagrams_ ? datagrams_->port() : acceptor_->port(); }

std::size_t BenchPort::connections() const { return datagrams_ ? datagrams_->peers() : connections_.size(); }

void BenchPort::take(std::unique_ptr<platform::Link> link) {
    if (connections_.size() >= limits_.connections_max) {
        log().warning("refused connection peer={} reason=\"{} connections are open\"", link->peer_address(),
                      limits_.connections_max);
        return;
    }
    log().information("opened connection peer={}", link->peer_address());
    const int id = next_++;
    connections_[id] = std::make_unique<BenchConnection>(loop_, kind_, std::move(link), make_server_(),
                                                         limits_, [this, id] { connections_.erase(id); });
}

}  // namespace wattmesh::sim
