#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"

namespace wattmesh::link {

/// One wrapper PDU (IEC 62056-47): 0001 | source wPort | destination wPort | length | APDU.
struct WrapperFrame {
    Sap source{}, destination{};
    Buffer payload{};
    friend bool operator==(const WrapperFrame&, const WrapperFrame&) = default;
};
Buffer encode_wrapper(const WrapperFrame& frame);

/// One UDP datagram: exactly one PDU (IEC 62056-47, 7.2.2), so that octets behind it are refused.
Result<WrapperFrame> decode_wrapper_datagram(Bytes datagram, std::size_t payload_size_max = 65'535);

/// Cuts a TCP stream into wrapper PDUs. After an error the stream is lost: the owner drops the session.
class WrapperDecoder {
public:
    explicit WrapperDecoder(std::size_t payload_size_max = 65'535) : payload_size_max_(payload_size_max) {}
    void feed(Bytes bytes);
    /// The next whole PDU; nothing when more octets are needed or after an error.
    std::optional<WrapperFrame> next();
    const std::optional<Error>& error() const { return error_; }
    /// Octets of an unfinished PDU wait here (for the partial-frame timer).
    bool partial() const { return !buffer_.empty(); }

private:
    std::size_t payload_size_max_;
    Buffer buffer_;
    std::optional<Error> error_;
};

/// Log-in and heartbeat in front of DLMS (uplink fact sheet 2): ctl 0A -> AA, 0C -> CC.
struct Hello {
    enum class Kind : std::uint8_t { login = 0x0A, heartbeat = 0x0C, login_ack = 0xAA, heartbeat_ack = 0xCC };
    Kind kind{};
    std::uint8_t type = 0;
    std::string address{};  ///< ASCII, <= 32 characters; for our concentrators the 12-digit number
    std::optional<std::uint8_t> option{};  ///< log-in and its acknowledgement carry one
    bool checksum_ok = true;  ///< FCS over type..option; counted by the owner, not refused by default
    friend bool operator==(const Hello&, const Hello&) = default;
};
bool is_hello(Bytes payload);
Result<Hello> decode_hello(Bytes payload);
Buffer encode_hello(const Hello& hello);

/// Gateway prefix (Green Book, gateway protocol): E6 request, E7 response | network | address length |
/// address | APDU.
struct GatewayFrame {
    bool response = false;
    std::uint8_t network = 0;
    Buffer address{};  ///< <= 32 octets; for our meters the 6-octet BCD DeviceNumber
    Buffer apdu{};
    friend bool operator==(const GatewayFrame&, const GatewayFrame&) = default;
};
bool is_gateway(Bytes payload);
Result<GatewayFrame> decode_gateway(Bytes payload);
Buffer encode_gateway(const GatewayFrame& frame);

}  // namespace wattmesh::link
