#pragma once
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::headend::frontend {

enum class RelayStatus {
    answered,     ///< `apdu` is the meter's
    unreachable,  ///< the concentrator says that its mesh cannot reach the meter (E7 + D8 01 03)
    timed_out,    ///< nobody said anything
    offline,      ///< no session with the concentrator, or it ended
    full,         ///< too many requests wait already
};
std::string_view to_string(RelayStatus status);
struct RelayOutcome {
    RelayStatus status{};
    Buffer apdu;
};

struct RelaySettings {
    std::size_t transactions_max = 16;  ///< open at once on one link
    std::size_t waiting_max = 1'000;
    Duration timeout = std::chrono::seconds{90};
    /// After a timeout the meter rests this long, so that a late answer cannot pass for the next request's.
    Duration rest = std::chrono::seconds{60};
};

/// APDUs to meters behind one concentrator (uplink fact sheet 3): one request, one answer; half duplex for
/// each meter, several meters at once.
class Relay {
public:
    using Done = std::function<void(RelayOutcome)>;
    Relay(const RelaySettings& settings, const Instant& now) : settings_(settings), now_(now) {}

    /// `client`: under which SAP the meter is asked, management or public.
    void request(DeviceNumber meter, Buffer apdu, Done done, Sap client = management_client);
    /// An E7 frame arrived.
    void receive(const link::GatewayFrame& frame);
    void tick();
    /// The link ended: everything open or waiting ends as offline.
    void close();
    /// Payloads (E6 ...) to send, each under its client.
    std::vector<std::pair<Sap, Buffer>> take_output() { return std::exchange(output_, {}); }

    std::size_t open() const { return open_.size(); }
    std::uint64_t late_answers() const { return late_answers_; }

private:
    struct Request {
        DeviceNumber meter;
        Sap client;
        Buffer apdu;
        Done done;
        Instant asked{};
    };
    struct Open {
        Done done;
        Instant sent{};
    };
    void send_waiting();

    const RelaySettings& settings_;
    const Instant& now_;
    std::deque<Request> waiting_;
    std::map<DeviceNumber, Open> open_;
    std::map<DeviceNumber, Instant> resting_;
    std::vector<std::pair<Sap, Buffer>> output_;
    std::uint64_t late_answers_ = 0;
    bool closed_ = false;
};

}  // namespace wattmesh::headend::frontend
