#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "platform/connector.h"
#include "platform/settings.h"
#include "platform/udp_socket.h"
#include "protocol/base/cipher.h"
#include "terminal-sim/meter/push_delivery.h"
#include "terminal-sim/meter/push_frames.h"
#include "terminal-sim/meter/quirk_mask.h"

namespace wattmesh::sim {

/// "host:port" or "[host]:port", as a Push setup names a destination.
std::optional<platform::HostPort> destination_of(Bytes text);

/// Sends what a meter pushes, one push after the other, by real sockets: a connection for each attempt, or a
/// datagram. Failed is what the sockets say has failed; nobody acknowledges a push.
class PushPort {
public:
    struct Settings {
        std::size_t pdu_size_max = 0xFFFF;   ///< octets
        std::size_t information_size = 128;  ///< of an HDLC frame
        std::optional<GatewayAddress> gateway{};
        dlms::Quirks quirks{};         ///< shown on the wire, see with_quirks
        std::size_t waiting_max = 16;  ///< pushes that wait; more are dropped and counted
        Duration attempt_real_max = std::chrono::seconds{15};
    };
    struct Counters {
        std::uint64_t sent = 0, failed_attempts = 0, given_up = 0, dropped = 0;
    };
    /// The APDU as it goes on the wire, ciphered as the order says; nothing when that cannot be. Asked anew
    /// for each attempt, so that no counter goes out twice.
    using Protect = std::function<std::optional<Buffer>(const PushOrder&)>;
    /// The meter's own time.
    using Shown = std::function<Instant()>;

    PushPort(platform::Loop& loop, Random& random, Settings settings, Protect protect, Shown shown);
    ~PushPort();
    PushPort(const PushPort&) = delete;
    PushPort& operator=(const PushPort&) = delete;

    void push(PushOrder order);
    const Counters& counters() const { return counters_; }

private:
    struct Waiting {
        PushOrder order;
        PushDelivery delivery;
    };
    void next();
    void attempt();
    void connect(const platform::HostPort& to, std::vector<Buffer> frames);
    void send_datagrams(const platform::HostPort& to, std::vector<Buffer> frames);
    void post_end(std::uint64_t attempt, bool delivered, const std::string& reason);
    void ended(bool delivered, const std::string& reason);

    platform::Loop& loop_;
    Random& random_;
    Settings settings_;
    Protect protect_;
    Shown shown_;
    Counters counters_;
    std::deque<Waiting> waiting_;
    bool busy_ = false;  ///< an attempt of the first one is under way
    platform::Timer timer_;
    std::unique_ptr<platform::Connector> connector_;
    std::unique_ptr<platform::UdpSocket> socket_;
    std::uint64_t attempt_ = 0;  ///< events of an earlier one come to nothing
    std::shared_ptr<PushPort*> self_ =
        std::make_shared<PushPort*>(this);  ///< what is posted looks whether we live
};

}  // namespace wattmesh::sim
