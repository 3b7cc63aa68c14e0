#pragma once
#include <optional>

#include "protocol/link/hello_profile.h"
#include "protocol/modbus/rtu.h"
#include "protocol/modbus/tcp.h"

namespace wattmesh::headend::frontend {

/// What a link says that carries Modbus: requests out, the answer to the open one in, one at a time. RTU:
/// silences do not survive a network, so the answer is found by what was asked (protocol/modbus/rtu.h); what
/// is none is given back as noise, where heartbeats and registrations are looked for. A heartbeat or a
/// registration in the middle of an answer is cut out. TCP: by transaction.
class ModbusSpeech {
public:
    /// `carries`: modbus_rtu or modbus_tcp.
    explicit ModbusSpeech(link::Carried carries) : carries_(carries) {}

    /// The frame to send. The PDU is a request (asserted).
    Buffer ask(std::uint8_t unit, Bytes pdu);
    /// `profile`: whose hellos may stand in between; may be null.
    void feed(Bytes octets, const link::HelloProfile* profile);
    /// PDU of the answer to the newest request, once.
    std::optional<Buffer> take_answer();
    /// Octets that belong to no answer. TCP: none.
    Buffer take_noise() { return finder_.take_noise(); }
    /// TCP only: the stream is lost.
    bool lost() const { return decoder_.error().has_value(); }

private:
    void feed_rtu(Bytes octets, const link::HelloProfile* profile);
    bool answered(std::optional<Result<modbus::Response>> response);
    bool answered_between(const link::HelloProfile& profile);

    link::Carried carries_;
    std::uint8_t unit_ = 0;
    std::optional<modbus::Request> request_;
    modbus::RtuAnswerFinder finder_;
    Buffer since_request_;  ///< all octets since then, for cutting
    modbus::TcpDecoder decoder_;
    std::uint16_t transaction_ = 0;
    std::optional<Buffer> answer_;
};

}  // namespace wattmesh::headend::frontend
