#pragma once
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "platform/tls_link.h"

namespace wattmesh::platform {

/// A socket that cannot be had; names the address and says why.
struct SocketError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct AcceptorSettings {
    std::string address = "127.0.0.1";  ///< numeric; "0.0.0.0" or "::" for all
    std::uint16_t port = 0;             ///< 0: the system chooses, see Acceptor::port()
    TlsLink::Context tls;               ///< none: plain TCP
    bool tls_offered = false;           ///< with `tls`: also plain TCP, who begins with a TLS record has TLS
    /// Asked for each connection before anything is read: why it is refused, empty when it is not.
    std::function<std::string(const std::string& peer)> refuse = {};
    std::size_t handshakes_max = 256;  ///< at once; more connections are closed
    Duration handshake_real_max = std::chrono::seconds{15};
    std::size_t write_queue_max = write_queue_default;
    bool share_port = false;  ///< SO_REUSEPORT: several processes on one port
};

/// Listens and hands out open links, TLS handshake done.
class Acceptor {
public:
    using OnLink = std::function<void(std::unique_ptr<Link>)>;
    /// A connection that came to nothing: peer address and reason, for a counter and a log.
    using OnRefused = std::function<void(const std::string& peer, const std::string& reason)>;

    /// Binds and listens; throws SocketError.
    Acceptor(Loop& loop, AcceptorSettings settings);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    void start(OnLink on_link, OnRefused on_refused);
    /// Accepts no more; links handed out live on.
    void stop();
    /// For connections from now on (a renewed certificate).
    void set_tls(TlsLink::Context tls);
    std::uint16_t port() const;

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
