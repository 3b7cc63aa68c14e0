#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "protocol/base/id.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::concentrator {

/// A management APDU on its way to a meter: sap u8 | APDU. Exactly one answered() or failed() for that meter
/// follows.
struct RelayTalk {
    DeviceNumber meter;
    Buffer payload;
};
struct RelayAnswer {
    Sap client;
    link::GatewayFrame frame;
};

/// Gateway of the uplink (Green Book gateway protocol; uplink fact sheet 3), sans-IO: E6 requests to meters,
/// end to end and unopened, E7 answers back. Half duplex per meter, several meters at once. "Cannot reach" is
/// answered with an exception, so that silence means loss.
class Relay {
public:
    static constexpr std::size_t waiting_max = 64;

    void set_meters(std::set<DeviceNumber> meters) { meters_ = std::move(meters); }
    void set_transactions_max(std::size_t most) { transactions_max_ = most; }

    void request(Sap client, const link::GatewayFrame& frame);
    /// The uplink ended: nobody waits for answers. Meters that are being asked stay taken until the mesh is
    /// done with them.
    void reset();

    /// The next request that may start; `free` says whether nobody else talks with the meter.
    std::optional<RelayTalk> take_talk(const std::function<bool(const DeviceNumber&)>& free);
    void answered(const DeviceNumber& meter, Bytes payload);
    void failed(const DeviceNumber& meter);
    std::optional<RelayAnswer> take_answer();
    /// Meters somebody of the head-end wants to talk with: own reads of them do not begin.
    std::set<DeviceNumber> wanted() const;

private:
    struct Request {
        Sap client;
        std::uint8_t network = 0;
        DeviceNumber meter;
        Buffer apdu;
    };
    void refuse(const Request& request, std::uint8_t reason);

    std::set<DeviceNumber> meters_;
    std::size_t transactions_max_ = 16;
    std::deque<Request> waiting_;
    std::map<DeviceNumber, std::optional<Request>> open_;  ///< without a request: its asker is gone
    std::deque<RelayAnswer> answers_;
};

}  // namespace wattmesh::concentrator
