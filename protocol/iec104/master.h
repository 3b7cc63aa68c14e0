#pragma once
#include <deque>
#include <vector>

#include "protocol/iec104/asdu.h"
#include "protocol/iec104/link.h"

namespace wattmesh::iec104 {

/// What an ASDU says about a request of ours.
enum class Reply : std::uint8_t { none, confirmed, refused, terminated, failed };

/// A controlling station on one connection: requests queue until the window is open, ASDUs come back in
/// order.
class Master {
public:
    Master(const LinkSettings& settings, std::uint8_t originator, Instant now)
        : link_(Side::controlling, settings, now), originator_(originator) {}

    Link& link() { return link_; }
    void feed(Bytes octets, Instant now);
    void tick(Instant now);
    std::vector<Asdu> take_received() { return std::exchange(received_, {}); }
    /// ASDUs that did not decode, and their number.
    std::uint64_t malformed() const { return malformed_; }

    /// Each returns the request as sent, which reply_to() compares with.
    Asdu interrogate(std::uint16_t station, std::uint8_t qualifier, Instant now);
    Asdu interrogate_counters(std::uint16_t station, CounterInterrogation request, Instant now);
    Asdu read(std::uint16_t station, std::uint32_t address, Instant now);
    Asdu sync_clock(std::uint16_t station, Instant now);
    Asdu test(std::uint16_t station, std::uint16_t pattern, Instant now);
    /// SingleCommand, DoubleCommand or FloatSetpoint.
    Asdu command(std::uint16_t station, std::uint32_t address, const Value& value, Instant now,
                 Cause cause = Cause::activation);

private:
    Asdu request(Type type, std::uint16_t station, const Object& object, Instant now,
                 Cause cause = Cause::activation);
    void pump(Instant now);

    Link link_;
    std::uint8_t originator_;
    std::deque<Buffer> waiting_;
    std::vector<Asdu> received_;
    std::uint64_t malformed_ = 0;
};

Reply reply_to(const Asdu& request, const Asdu& received);

}  // namespace wattmesh::iec104
