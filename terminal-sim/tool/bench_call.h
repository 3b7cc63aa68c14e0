#pragma once
#include <deque>
#include <memory>

#include "platform/connector.h"
#include "platform/settings.h"
#include "protocol/link/hdlc_link.h"
#include "protocol/link/wrapper.h"
#include "security/ciphers.h"
#include "terminal-sim/meter/bench_port.h"

namespace wattmesh::sim {

/// The reading side of a meter's TCP port, one request at a time: each call waits for its answer. Throws
/// std::runtime_error with address and reason when there is none in time.
class BenchCall {
public:
    BenchCall(const platform::HostPort& meter, LinkKind kind, Sap server, Duration answer_real_max);
    ~BenchCall();

    /// Speaks as this client from now on (HDLC: closes the data link and opens another).
    void use(Sap client);
    Buffer exchange(Bytes apdu);

private:
    void wait_for(const std::function<bool()>& done, const char* what);
    void feed(Bytes bytes);
    void flush();

    std::string address_;
    LinkKind kind_;
    Sap server_, client_;
    Duration answer_real_max_;
    security::SystemRandom random_;
    platform::Loop loop_;
    platform::Timer timer_;
    link::WrapperDecoder wrapper_;
    std::unique_ptr<link::HdlcLink> hdlc_;
    std::deque<Buffer> answers_;
    std::string broken_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
