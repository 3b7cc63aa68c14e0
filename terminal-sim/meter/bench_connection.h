#pragma once
#include "protocol/link/hdlc_link.h"
#include "protocol/link/mode_e.h"
#include "protocol/link/wrapper.h"
#include "terminal-sim/meter/bench_port.h"

namespace wattmesh::sim {

/// One TCP connection to a meter: a link layer and a DLMS server.
class BenchConnection {
public:
    /// `on_over` is called once, when the connection has ended; it may destroy this.
    BenchConnection(platform::Loop& loop, LinkKind kind, std::unique_ptr<platform::Link> link,
                    std::shared_ptr<dlms::Server> server, const BenchLimits& limits,
                    std::function<void()> on_over);

private:
    void receive(Bytes bytes);
    void receive_wrapper(Bytes bytes);
    void receive_hdlc(Bytes bytes);
    void receive_sign_on(Bytes bytes);
    void perform_sign_on();
    void answer_hdlc();
    void end_hdlc();
    void send(Bytes bytes);
    void watch();
    void over(const std::string& reason);

    platform::Loop& loop_;
    LinkKind kind_;
    BenchLimits limits_;
    std::shared_ptr<dlms::Server> server_;
    std::function<void()> on_over_;
    link::WrapperDecoder wrapper_;
    link::HdlcLink hdlc_;
    std::uint64_t established_ = 0;  ///< number of the data link whose client the server knows
    Sap hdlc_client_{};
    std::uint64_t answers_ = 0;  ///< over HDLC, so far
    link::ModeEServer sign_on_;
    platform::Timer idle_, partial_, inactive_, pause_;
    std::unique_ptr<platform::Link> link_;
};

}  // namespace wattmesh::sim
