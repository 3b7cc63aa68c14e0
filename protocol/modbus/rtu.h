#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/modbus/pdu.h"

/// RTU frames: unit | PDU | CRC low, high. Source: MODBUS over Serial Line V1.02, 2.5.1 and appendix B.
namespace wattmesh::modbus {

inline constexpr std::uint8_t broadcast_unit = 0, unit_max = 247;
inline constexpr std::size_t rtu_frame_size_max = 256;

/// CRC-16, polynomial A001 (reflected), start FFFF; its low octet goes first.
std::uint16_t crc16(Bytes octets);
Buffer encode_rtu(std::uint8_t unit, Bytes pdu);

struct RtuFrame {
    std::uint8_t unit = 0;
    Buffer pdu;
    friend bool operator==(const RtuFrame&, const RtuFrame&) = default;
};

/// Master's side: finds the answer to the one open request in a stream in which the silence between frames
/// does not survive (RTU through a DTU over TCP) and other octets may stand before, between and behind. The
/// length of an answer follows from the request; what has not its unit, function, length and CRC is given
/// back as noise, octet by octet.
class RtuAnswerFinder {
public:
    /// Forgets what came before. Nothing comes back to a broadcast: do not open one.
    void open(std::uint8_t unit, const Request& request);
    void close() { request_.reset(); }
    bool is_open() const { return request_.has_value(); }

    void feed(Bytes octets);
    /// The answer, once; then no request is open.
    std::optional<Result<Response>> next();
    /// Octets that belong to no answer, since the last call: heartbeats, registrations, late answers. While
    /// no request is open everything is.
    Buffer take_noise();
    /// Octets wait that may be the beginning of the answer.
    bool partial() const { return !buffer_.empty(); }

private:
    bool could_begin(std::size_t at, std::size_t& size) const;
    void drop(std::size_t count);

    std::uint8_t unit_ = 0;
    std::optional<Request> request_;
    Buffer buffer_, noise_;
};

/// Slave's side: cuts a stream of requests. What is no request with a right CRC is skipped octet by octet and
/// counted.
class RtuRequestDecoder {
public:
    void feed(Bytes octets);
    std::optional<RtuFrame> next();
    /// End of a frame by silence (3.5 characters): what is unfinished will never be a request.
    void silence();
    std::uint64_t skipped() const { return skipped_; }

private:
    Buffer buffer_;
    std::uint64_t skipped_ = 0;
};

}  // namespace wattmesh::modbus
