#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "platform/acceptor.h"
#include "protocol/dlms/server.h"
#include "terminal-sim/meter/gateway_door.h"
#include "terminal-sim/meter/quirk_mask.h"

namespace wattmesh::sim {

/// What lies below the APDUs: the wrapper or HDLC on TCP, the wrapper on UDP, or HDLC on TCP behind a sign-on
/// by IEC 62056-21 mode E, as through a device server at an optical head.
enum class LinkKind : std::uint8_t { wrapper, hdlc, udp, mode_e };
/// "wrapper", "hdlc", "udp" or "mode-e".
std::optional<LinkKind> link_kind(std::string_view word);
std::string_view to_string(LinkKind kind);
inline constexpr const char* link_words = "wrapper, hdlc, udp or mode-e";

/// What a meter's port can do, and what it bears.
struct BenchLimits {
    std::uint8_t hdlc_window = 7;             ///< frames; the client may ask for fewer
    std::uint16_t hdlc_information = 2'030;   ///< octets; without a word of the client it is 128
    std::size_t apdu_size_max = 65'535;       ///< from the client
    std::size_t datagram_size_max = 65'507;   ///< either way
    std::size_t connections_max = 32;         ///< on UDP: peers
    std::chrono::seconds idle_real_max{300};  ///< then a connection, or a peer's associations, are forgotten
    std::chrono::seconds partial_real_max{10};    ///< for a frame that has begun
    std::chrono::seconds inactive_real_max{120};  ///< then a data link is closed (HDLC)
    std::string device_address{};                 ///< mode E
    std::optional<GatewayAddress> gateway{};      ///< only what is addressed to it there is answered
    dlms::Quirks quirks{};                        ///< shown on the wire, see with_quirks
    bool echo = false;                            ///< hands back what it receives, as some optical heads do
};

class BenchConnection;
class BenchDatagrams;

/// A meter's DLMS port, for any standard client: logical device 1, each connection (on UDP each peer) with
/// associations of its own.
class BenchPort {
public:
    using MakeServer = std::function<std::shared_ptr<dlms::Server>()>;
    /// `make_server` is asked once per connection; the servers share the meter and its counters. Throws
    /// platform::SocketError.
    BenchPort(platform::Loop& loop, const std::string& address, std::uint16_t port, LinkKind kind,
              MakeServer make_server, BenchLimits limits = {});
    ~BenchPort();

    std::uint16_t port() const;
    std::size_t connections() const;

private:
    void take(std::unique_ptr<platform::Link> link);

    platform::Loop& loop_;
    LinkKind kind_;
    BenchLimits limits_;
    MakeServer make_server_;
    std::unique_ptr<BenchDatagrams> datagrams_;
    std::unique_ptr<platform::Acceptor> acceptor_;
    std::map<int, std::unique_ptr<BenchConnection>> connections_;
    int next_ = 0;
};

}  // namespace wattmesh::sim
