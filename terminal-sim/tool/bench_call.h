#pragma once
#include <deque>
#include <memory>

#include "platform/connector.h"
#include "platform/settings.h"
#include "platform/udp_socket.h"
#include "protocol/link/echo.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/mode_e.h"
#include "protocol/link/wrapper.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/bench_port.h"

namespace wattmesh::sim {

/// How the line to a meter is worked.
struct BenchLine {
    std::uint8_t hdlc_window = 1;             ///< frames, 1..7; what every meter understands
    std::uint16_t hdlc_information = 128;     ///< octets
    unsigned attempts_max = 3;                ///< of a datagram, or of an HDLC frame
    bool echo = false;                        ///< the optical head returns what we send
    std::string device_address{};             ///< mode E; empty: whoever is at the head
    bool wake_up = false;                     ///< mode E: the meter runs on battery
    std::optional<GatewayAddress> gateway{};  ///< where the meter is behind a gateway
};

/// The reading side of a meter's port, one request at a time: each call waits for its answer. Throws
/// std::runtime_error with address and reason when there is none in time.
class BenchCall {
public:
    BenchCall(const platform::HostPort& meter, LinkKind kind, Sap server, Duration answer_real_max,
              BenchLine line = {});
    ~BenchCall();

    /// Speaks as this client from now on (HDLC: closes the data link and opens another; mode E: signs on).
    void use(Sap client);
    /// On UDP the request is sent again when nothing comes in time; the meter answers the same octets with
    /// what it answered before (see BenchDatagrams).
    Buffer exchange(Bytes apdu);
    /// Sends an APDU that is not answered by itself, as a block that streams.
    void say(Bytes apdu);
    /// One more APDU without asking for it, as when blocks stream.
    Buffer receive();
    /// How often something was sent again.
    std::uint64_t repeated() const { return repeated_; }
    /// APDUs that came by `receive`.
    std::uint64_t streamed() const { return streamed_; }
    /// Lets real time pass; throws when the connection breaks meanwhile.
    void wait(Duration real);

private:
    void connect(const platform::HostPort& meter);
    void resolve(const platform::HostPort& meter);
    void wait_for(const std::function<bool()>& done, const char* what,
                  const std::function<bool()>& again = {});
    Buffer wait_for_answer(const std::function<bool()>& again);
    void send(Bytes octets);
    void feed(Bytes bytes);
    void feed_hdlc(Bytes bytes);
    void take_answer(Bytes payload);
    void take_datagram(const platform::UdpPeer& from, Bytes datagram);
    void flush();
    bool repeat_frame();
    void sign_on();
    void perform_sign_on();

    std::string address_;
    LinkKind kind_;
    Sap server_, client_;
    Duration answer_real_max_;
    BenchLine line_;
    security::SystemRandom random_;
    platform::Loop loop_;
    platform::Timer timer_, total_, pause_;
    link::WrapperDecoder wrapper_;
    link::EchoFilter echo_;
    std::unique_ptr<link::HdlcLink> hdlc_;
    std::unique_ptr<link::ModeEClient> sign_on_;
    std::deque<Buffer> answers_;
    Buffer last_answer_;    ///< UDP
    unsigned doubles_ = 0;  ///< UDP: answers to our repetitions that may still come
    std::uint64_t repeated_ = 0, streamed_ = 0;
    bool moved_ = false;  ///< HDLC: the last octets made us go on
    std::string broken_;
    platform::UdpPeer peer_;
    std::unique_ptr<platform::Connector> connector_;
    std::unique_ptr<platform::UdpSocket> socket_;
};

}  // namespace wattmesh::sim
