#pragma once
#include <functional>
#include <memory>
#include <string>

#include "platform/tls_link.h"
#include "protocol/base/cipher.h"

namespace wattmesh::platform {

struct ConnectorSettings {
    std::string host;  ///< name or address; resolved away from the loop's thread
    std::uint16_t port = 0;
    TlsLink::Context tls;  ///< none: plain TCP
    /// Judges the server's certificate: nothing while the clock is not trusted. Unset: the loop's clock.
    std::function<std::optional<Instant>()> certificate_time;
    /// Makes the connection below TLS in place of our own TCP, through a modem; `done` comes once.
    using Dialled = std::function<void(std::unique_ptr<Link> link, const std::string& reason)>;
    std::function<void(const std::string& host, std::uint16_t port, Dialled done)> dial{};
    Duration attempt_real_max =
        std::chrono::seconds{15};  ///< resolving, connecting and the handshake together
    /// Simulated. The wait doubles from one failure to the next up to the maximum, half of it by chance.
    Duration wait_min = std::chrono::seconds{1}, wait_max = std::chrono::seconds{60};
    std::size_t write_queue_max = write_queue_default;
};

struct ConnectorEvents {
    std::function<void(Link&)> on_open;  ///< a new connection, TLS handshake done
    std::function<void(Bytes)> on_bytes;
    /// An attempt failed or the open link ended; the next attempt follows after `wait`.
    std::function<void(const std::string& reason, Duration wait)> on_closed;
};

/// Keeps one outgoing connection alive: connects, and connects again with back-off and jitter.
class Connector {
public:
    Connector(Loop& loop, Random& random, ConnectorSettings settings);
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    void start(ConnectorEvents events);
    /// Drops the link and tries no more; no events come after it.
    void stop();
    /// The link that is open, or null.
    Link* link();
    /// The peer accepted us (logged in): the next wait starts at the minimum again.
    void settled();
    /// For the next attempt (after enrolment, a renewed certificate).
    void set_tls(TlsLink::Context tls);
    /// Ends the open link and connects again, after the usual wait.
    void reconnect();

private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace wattmesh::platform
