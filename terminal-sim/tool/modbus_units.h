#pragma once
#include <deque>
#include <map>
#include <optional>

#include "platform/loop.h"
#include "platform/settings.h"
#include "terminal-sim/device/modbus_meter.h"
#include "terminal-sim/device/polled_truth.h"

namespace wattmesh::sim {

/// The simulated panel meters of terminal-sim device --kind modbus-tcp and dtu, from their options --units,
/// --map, --swapped, --dead, --seed, --history-days and --truth; each captures its truth while the loop runs.
class ModbusUnits {
public:
    /// Throws SettingsError.
    ModbusUnits(platform::Loop& loop, const platform::Settings& settings, const DeviceNumber& first);
    /// Those that are alive.
    std::map<std::uint8_t, ModbusMeter> alive();
    const std::string& summary() const { return summary_; }

private:
    struct Unit {
        explicit Unit(const MeterSettings& settings)
            : load(settings.seed, settings.number, settings.kind, false),
              meter(settings, load, nullptr, nullptr) {}
        CustomerLoad load;
        Meter meter;
        modbus::RegisterMap map;
        std::uint8_t number = 1;
        bool dead = false;
    };
    void advance();

    platform::Loop& loop_;
    std::optional<PolledTruth> truth_;
    std::deque<Unit> units_;
    platform::Timer capture_;
    std::string summary_;
};

}  // namespace wattmesh::sim
