#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/modbus/pdu.h"

/// Modbus TCP: transaction | protocol 0 | length | unit | PDU, no CRC. Source: MODBUS Messaging on TCP/IP
/// Implementation Guide V1.0b, 3.1.3.
namespace wattmesh::modbus {

struct TcpFrame {
    std::uint16_t transaction = 0;
    std::uint8_t unit = 0;
    Buffer pdu;
    friend bool operator==(const TcpFrame&, const TcpFrame&) = default;
};
Buffer encode_tcp(const TcpFrame& frame);

/// Cuts a stream. After an error the stream is lost: nothing tells where the next frame begins.
class TcpDecoder {
public:
    void feed(Bytes octets);
    std::optional<TcpFrame> next();
    const std::optional<Error>& error() const { return error_; }
    bool partial() const { return !buffer_.empty(); }

private:
    Buffer buffer_;
    std::optional<Error> error_;
};

}  // namespace wattmesh::modbus
