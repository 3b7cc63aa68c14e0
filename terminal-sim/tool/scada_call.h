#pragma once
#include <memory>

#include "platform/connector.h"
#include "platform/settings.h"
#include "protocol/iec104/master.h"
#include "security/ciphers.h"

namespace wattmesh::sim {

struct ScadaLine {
    platform::HostPort outstation;
    platform::TlsLink::Context tls;  ///< none: plain TCP
    iec104::LinkSettings link;
    std::uint8_t originator = 0;
    Duration answer_real_max = std::chrono::seconds{10};
};

/// A controlling station on one TCP connection, step by step. Throws std::runtime_error with address and
/// reason when the connection breaks.
class ScadaCall {
public:
    /// Connects and starts data transfer.
    explicit ScadaCall(ScadaLine line);
    ~ScadaCall();

    iec104::Master& master() { return master_; }
    Instant now() const { return loop_.now(); }
    /// Hands out what comes, in order, until `done` says true or `real_max` has passed; false then.
    bool hear(const std::function<bool(const iec104::Asdu&)>& done, Duration real_max);
    /// Ends data transfer; whether that was confirmed.
    bool stop();

private:
    bool wait(const std::function<bool()>& done, Duration real_max);
    void flush();
    void arm();

    ScadaLine line_;
    security::SystemRandom random_;
    platform::Loop loop_;
    platform::Timer timer_, link_timer_;
    iec104::Master master_;
    std::string broken_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
