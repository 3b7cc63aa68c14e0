#pragma once
#include <optional>

#include "protocol/modbus/pdu.h"
#include "protocol/modbus/register_map.h"
#include "terminal-sim/device/polled_truth.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// A panel meter that speaks Modbus: what flows through a simulated meter, shown in the registers of a map.
/// Between the first and the last register of its map it says "not available" where the map has no point;
/// outside, and for a part of a whole block, it refuses the address.
class ModbusMeter {
public:
    /// All outlive it. `polled` hears what is answered, before any encoding; may be null.
    ModbusMeter(const Meter& meter, const modbus::RegisterMap& map, PolledTruth* polled = nullptr)
        : meter_(meter), map_(map), polled_(polled) {}

    /// Exceptions: illegal_function for anything but reading with the map's function, illegal_data_address.
    modbus::Response answer(const modbus::Request& request, Instant now) const;
    /// The truth before any encoding, in the unit of the quantity; nothing for what it does not measure.
    std::optional<double> truth(const ObisCode& quantity, Instant now) const;

private:
    bool readable(const modbus::Read& read) const;

    const Meter& meter_;
    const modbus::RegisterMap& map_;
    PolledTruth* polled_;
};

}  // namespace wattmesh::sim
