#pragma once
#include <memory>
#include <optional>
#include <string>

#include "platform/connector.h"
#include "protocol/dlms/server.h"
#include "protocol/link/hello_profile.h"
#include "protocol/link/wrapper.h"
#include "terminal-sim/meter/push_order.h"

namespace wattmesh::sim {

/// What a make gets wrong, to see that a head-end bears it.
enum class HelloFault : std::uint8_t {
    none,
    checksum,  ///< the checksum of a log-in leaves out its option, as some makes do
};

/// The modem of a meter that calls in: connects, says the hello of its make, beats, and lets through what the
/// head-end asks. Three heartbeats without an answer and it hangs up and calls again.
class CallinMeter {
public:
    struct Settings {
        std::string host;
        std::uint16_t port = 0;
        std::string identity;
        HelloFault fault = HelloFault::none;
    };
    struct Counters {
        std::uint64_t calls = 0, logins_answered = 0, beats = 0, beats_answered = 0, wrong_answers = 0,
                      requests = 0, pushes = 0, pushes_lost = 0;
    };
    using MakeServer = std::function<std::shared_ptr<dlms::Server>()>;

    /// `profile` outlives it. Each connection has a server of its own.
    CallinMeter(platform::Loop& loop, Random& random, Settings settings, const link::HelloProfile& profile,
                MakeServer make_server);
    ~CallinMeter();

    /// An APDU as it goes on the wire; false, and it is lost, while there is no link.
    bool push(Bytes apdu, Sap client);
    const Counters& counters() const { return counters_; }
    bool logged_in() const { return logged_in_; }

private:
    void open(platform::Link& link);
    void receive(Bytes bytes);
    void beat();
    void send(Bytes bytes);
    Buffer login() const;

    platform::Loop& loop_;
    Settings settings_;
    const link::HelloProfile& profile_;
    MakeServer make_server_;
    Counters counters_;
    std::shared_ptr<dlms::Server> server_;
    std::optional<link::WrapperDecoder> decoder_;
    bool logged_in_ = false;
    int unanswered_ = 0;
    platform::Timer timer_;
    platform::Connector connector_;
};

}  // namespace wattmesh::sim
