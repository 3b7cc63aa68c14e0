#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"

/// Tunnels: TLS connections of vending machines through a concentrator. Their octets lie in the payloads of
/// wrapper PDUs under a SAP of their own; on the machine's own line each message is a TunnelLine frame.
/// Nobody on the way can read them. All numbers are big-endian.
namespace wattmesh::link {

/// Of the head-end on the uplink, beside configuration and replication.
inline constexpr Sap tunnel_client{0x22};
/// Most octets of one message, and most that may be under way in one direction of a tunnel: metering and
/// breakers wait no longer than that.
inline constexpr std::size_t tunnel_chunk_max = 1'024, tunnel_window = 8 * 1'024;
/// Of one direction, then the tunnel ends: offsets never wrap.
inline constexpr std::uint32_t tunnel_octets_max = 64U << 20U;

/// Why a tunnel ended, or was not opened.
enum class TunnelReason : std::uint8_t {
    done = 0,            ///< an end closed its connection
    uplink_down = 1,     ///< the concentrator does not reach the head-end
    not_configured = 2,  ///< the front-end connects no machines
    busy = 3,            ///< too many tunnels
    vending_down = 4,    ///< vending's address does not answer
    line = 5,            ///< octets were lost on the line, or more came than was allowed
    not_tls = 6,         ///< the first octets begin no TLS connection
    too_long = 7,        ///< more octets than one tunnel carries
};
std::string_view to_string(TunnelReason reason);

/// The machine's end asks for a connection to vending; it takes octets up to `limit` of them.
struct TunnelOpen {
    std::uint16_t tunnel = 0;  ///< chosen by who asks, free on this link
    std::uint32_t limit = 0;
    friend bool operator==(const TunnelOpen&, const TunnelOpen&) = default;
};
/// The connection stands.
struct TunnelOpened {
    std::uint16_t tunnel = 0;
    std::uint32_t limit = 0;
    friend bool operator==(const TunnelOpened&, const TunnelOpened&) = default;
};
/// `offset` counts the octets of this direction before these: a hole is seen at once.
struct TunnelData {
    std::uint16_t tunnel = 0;
    std::uint32_t offset = 0;
    Buffer octets{};
    friend bool operator==(const TunnelData&, const TunnelData&) = default;
};
/// The other end may send up to `limit` octets in all; never less than it was.
struct TunnelCredit {
    std::uint16_t tunnel = 0;
    std::uint32_t limit = 0;
    friend bool operator==(const TunnelCredit&, const TunnelCredit&) = default;
};
/// Also in place of TunnelOpened. Nothing of this tunnel comes after it.
struct TunnelClose {
    std::uint16_t tunnel = 0;
    TunnelReason reason = TunnelReason::done;
    friend bool operator==(const TunnelClose&, const TunnelClose&) = default;
};
using TunnelMessage = std::variant<TunnelOpen, TunnelOpened, TunnelData, TunnelCredit, TunnelClose>;
std::uint16_t tunnel_of(const TunnelMessage& message);
void set_tunnel(TunnelMessage& message, std::uint16_t tunnel);

Buffer encode_tunnel(const TunnelMessage& message);
Result<TunnelMessage> decode_tunnel(Bytes payload);

/// One end of the octets of one tunnel, both directions.
class TunnelEnd {
public:
    explicit TunnelEnd(std::uint16_t tunnel) : tunnel_(tunnel) {}

    std::uint16_t tunnel() const { return tunnel_; }
    /// Octets that the other end is to get.
    void push(Bytes octets);
    /// More waits than should: the source shall pause.
    bool full() const { return waiting_.size() >= tunnel_window; }
    bool idle() const { return waiting_.empty(); }
    std::optional<TunnelData> take_data();

    /// Of the other end's open, opened or credit.
    void allow(std::uint32_t limit);
    /// Of our own open or opened, and of credit() after it: what the other end may send.
    std::uint32_t limit() const { return granted_; }
    /// Octets came. Whether they are the next ones, and were allowed.
    bool received(const TunnelData& data);
    /// `count` of what came has been passed on. A credit as soon as it is worth a message.
    std::optional<TunnelCredit> passed_on(std::size_t count);

    std::uint32_t octets_sent() const { return sent_; }
    std::uint32_t octets_received() const { return received_; }
    /// One direction has carried all that a tunnel may.
    bool spent() const;

private:
    std::uint16_t tunnel_;
    Buffer waiting_;
    std::uint32_t sent_ = 0, allowed_ = 0;
    std::uint32_t received_ = 0, passed_ = 0, granted_ = tunnel_window;
};

}  // namespace wattmesh::link
