#pragma once
#include "platform/link.h"
#include "protocol/link/tunnel_line.h"

namespace wattmesh::sim {

/// A vending machine's end of a tunnel as a Link, for TLS on top: its messages go over a line to a
/// concentrator, a serial port or TCP. The line belongs to somebody else, who passes on what it says and
/// outlives this.
class TunnelLink final : public platform::Link {
public:
    /// `tunnel`: another number than the one before on this line.
    TunnelLink(platform::Link& line, std::uint16_t tunnel) : line_(line), end_(tunnel) {}

    void line_received(Bytes octets);
    void line_closed(const std::string& reason) { finish(reason); }
    /// Why the concentrator ended the tunnel, once it did.
    const std::optional<link::TunnelReason>& refused() const { return refused_; }

    /// Asks for the tunnel.
    void start(platform::LinkEvents events) override;
    bool send(Bytes octets) override;
    void close() override;
    void pause(bool) override {}
    std::size_t room() const override;
    const std::string& peer_address() const override { return line_.peer_address(); }
    const std::optional<security::CertificateFacts>& peer() const override { return line_.peer(); }
    const std::string& protocol() const override { return line_.protocol(); }

private:
    void on(const link::TunnelMessage& message);
    void say(const link::TunnelMessage& message);
    void flush();
    void finish(const std::string& reason);

    platform::Link& line_;
    link::TunnelEnd end_;
    link::TunnelLineDecoder decoder_;
    platform::LinkEvents events_;
    std::optional<link::TunnelReason> refused_;
    bool over_ = false;
};

}  // namespace wattmesh::sim
