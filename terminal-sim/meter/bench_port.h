#pragma once
#include <map>
#include <memory>

#include "platform/acceptor.h"
#include "protocol/dlms/server.h"

namespace wattmesh::sim {

enum class LinkKind : std::uint8_t { wrapper, hdlc };
/// "wrapper" or "hdlc".
std::optional<LinkKind> link_kind(std::string_view word);

/// A meter's DLMS port on TCP, for any standard client: logical device 1, each connection with associations
/// of its own.
class BenchPort {
public:
    /// `make_server` is asked once per connection; the servers share the meter and its counters. Throws
    /// platform::SocketError.
    BenchPort(platform::Loop& loop, const std::string& address, std::uint16_t port, LinkKind kind,
              std::function<std::unique_ptr<dlms::Server>()> make_server);
    ~BenchPort();

    std::uint16_t port() const { return acceptor_.port(); }
    std::size_t connections() const { return connections_.size(); }

    static constexpr std::size_t connections_max = 32;
    static constexpr std::chrono::seconds idle_real_max{300}, partial_real_max{10};

private:
    class Connection;
    void take(std::unique_ptr<platform::Link> link);

    platform::Loop& loop_;
    LinkKind kind_;
    std::function<std::unique_ptr<dlms::Server>()> make_server_;
    platform::Acceptor acceptor_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    int next_ = 0;
};

}  // namespace wattmesh::sim
