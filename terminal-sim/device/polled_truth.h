#pragma once
#include <filesystem>
#include <fstream>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/modbus/register_map.h"

namespace wattmesh::sim {

/// What panel meters really showed each time somebody polled them, written before registers are made of it:
/// lines "meter,at_epoch_s,channel,value", as fine as the type of the register. Channels and scalers are
/// those of the head-end's bank of polled registers (1 Wh, 2 W, then volts x 10 and amperes x 100, by phase
/// or, of a map that has no phases, the average).
class PolledTruth {
public:
    /// Appends. Throws std::runtime_error naming the file.
    explicit PolledTruth(const std::filesystem::path& file);
    /// `value` in the unit of the quantity; of quantities without a channel nothing is written.
    void record(const DeviceNumber& meter, const modbus::RegisterMap& map, const ObisCode& quantity,
                double value, Instant at);

    /// Of a meter with all phases.
    void record(const DeviceNumber& meter, const ObisCode& quantity, double value, Instant at);

private:
    std::ofstream out_;
};

}  // namespace wattmesh::sim
