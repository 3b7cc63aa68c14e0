#pragma once
#include <optional>

#include "protocol/dlt645/request.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// A three-phase meter that speaks DL/T 645-2007: what flows through a simulated meter, with the digits that
/// such a meter shows (energies in steps of 10 Wh). It reads and tells its address; everything else it
/// refuses with an error word, and broadcasts it does not answer.
class Dlt645Meter {
public:
    /// `meter` outlives it.
    explicit Dlt645Meter(const Meter& meter) : meter_(meter) {}

    const DeviceNumber& number() const { return meter_.settings().number; }
    /// Nothing for a frame to another meter, and for broadcasts.
    std::optional<dlt645::Frame> answer(const dlt645::Frame& asked, Instant now) const;
    /// As it is shown, in the unit of the quantity; nothing for what it does not measure. Counters of any
    /// instant since it was installed.
    std::optional<double> shown(const ObisCode& quantity, Instant at) const;

private:
    const Meter& meter_;
};

}  // namespace wattmesh::sim
