#pragma once
#include <map>
#include <memory>
#include <string>

#include "headend/frontend/core.h"
#include "headend/frontend/enrolment.h"
#include "platform/acceptor.h"
#include "platform/log.h"

namespace wattmesh::headend::frontend {

struct ListenerSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: the system chooses
    bool share_port = false;
    Duration tick_real = std::chrono::milliseconds{50};
    Duration enrolment_real_max = std::chrono::seconds{30};
    std::size_t enrolments_max = 32;  ///< at once
    double renewal_share = 0.67;      ///< of a certificate's life, then it is renewed
};

/// The front-end on real sockets: accepts uplinks (mutual TLS) and enrolments (told apart by ALPN), feeds the
/// core and performs its actions. Everything runs on the loop's thread.
class Listener {
public:
    /// `tls` asks for client certificates except on the enrolment protocol. Throws platform::SocketError.
    Listener(platform::Loop& loop, ListenerSettings settings, platform::TlsLink::Context tls, Core& core,
             Enroller& enroller);
    ~Listener();

    void start();
    void stop();
    std::uint16_t port() const { return acceptor_.port(); }
    /// Something outside moved the core (a completion, a command): performs what it wants. Many calls in one
    /// turn of the loop cost one look.
    void pump_soon();

private:
    struct Enrolment {
        std::unique_ptr<platform::Link> link;
        EnrolmentLine line;
        std::unique_ptr<platform::Timer> deadline;
        bool asked = false;
    };
    void on_link(std::unique_ptr<platform::Link> link);
    void on_uplink(std::unique_ptr<platform::Link> link);
    void on_enrolment(std::unique_ptr<platform::Link> link);
    void on_enrolment_bytes(LinkId id, Bytes bytes);
    void answer_enrolment(LinkId id, const EnrolmentAnswer& answer, const std::string& who);
    void tick();
    void perform(std::vector<Action> actions);

    platform::Loop& loop_;
    ListenerSettings settings_;
    Core& core_;
    Enroller& enroller_;
    platform::Acceptor acceptor_;
    platform::Timer timer_;
    platform::Log log_;
    std::map<LinkId, std::unique_ptr<platform::Link>> links_;
    std::map<LinkId, Enrolment> enrolments_;
    std::uint64_t next_link_ = 1;
    std::shared_ptr<bool> pump_waits_ = std::make_shared<bool>(false);  ///< also: alive
};

}  // namespace wattmesh::headend::frontend
