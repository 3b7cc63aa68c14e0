#pragma once
#include <cstdint>
#include <optional>

#include "protocol/link/tunnel.h"

/// Tunnel messages on a line that has neither beginnings nor ends, RS-232 or TCP: 7E | message | FCS-16, low
/// octet first | 7E, where 7E and 7D in between are 7D and the octet xor 20 (RFC 1662, 4.2). One tunnel at a
/// time; a line that loses octets loses the tunnel, never a part of what it carries.
namespace wattmesh::link {

inline constexpr std::uint8_t tunnel_flag = 0x7E;

Buffer encode_tunnel_line(const TunnelMessage& message);

class TunnelLineDecoder {
public:
    /// Any chunking. Keeps at most one frame.
    void feed(Bytes octets);
    std::optional<TunnelMessage> next();
    /// Frames and runs of octets that are no messages.
    std::uint64_t faults() const { return faults_; }

private:
    void take(std::uint8_t octet);
    void finish();

    Buffer frame_, fed_;
    std::size_t at_ = 0;
    std::optional<TunnelMessage> message_;
    std::uint64_t faults_ = 0;
    bool escaped_ = false, spoiled_ = false;
};

}  // namespace wattmesh::link
