#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "platform/loop.h"
#include "platform/settings.h"
#include "terminal-sim/device/dlt645_meter.h"
#include "terminal-sim/device/modbus_meter.h"
#include "terminal-sim/device/polled_truth.h"

namespace wattmesh::sim {

/// The simulated meters of terminal-sim device --kind modbus-tcp, dtu and gdw376, from their options --units,
/// --map, --swapped, --dead, --relay-only, --seed, --history-days and --truth; each captures its truth while
/// the loop runs.
class PolledUnits {
public:
    /// Throws SettingsError.
    PolledUnits(platform::Loop& loop, const platform::Settings& settings, const DeviceNumber& first);
    /// Those that are alive.
    std::map<std::uint8_t, ModbusMeter> alive();
    /// All of them as DL/T 645 meters, by point; null for a dead one.
    std::map<std::uint16_t, const Dlt645Meter*> by_point() const;
    /// For which the terminal has no answer of its own.
    std::set<std::uint16_t> relay_only() const { return relay_only_; }
    PolledTruth* truth() { return truth_ ? &*truth_ : nullptr; }
    const std::string& summary() const { return summary_; }

private:
    struct Unit {
        explicit Unit(const MeterSettings& settings)
            : load(settings.seed, settings.number, settings.kind, false),
              meter(settings, load, nullptr, nullptr) {}
        CustomerLoad load;
        Meter meter;
        Dlt645Meter dlt645{meter};
        modbus::RegisterMap map;
        std::uint8_t number = 1;
        bool dead = false;
    };
    void advance();

    platform::Loop& loop_;
    std::optional<PolledTruth> truth_;
    std::set<std::uint16_t> relay_only_;
    std::deque<Unit> units_;
    platform::Timer capture_;
    std::string summary_;
};

}  // namespace wattmesh::sim
