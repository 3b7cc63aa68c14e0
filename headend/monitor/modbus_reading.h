#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headend/frontend/caller_ports.h"
#include "headend/frontend/guard.h"
#include "headend/frontend/relay.h"
#include "headend/monitor/bus_rows.h"
#include "protocol/modbus/bus_master.h"

namespace wattmesh::headend::monitor {

struct ModbusReadingSettings {
    Duration fast_period = std::chrono::seconds{30};  ///< of power, currents and voltages
    Duration answer_max = std::chrono::seconds{5};    ///< of a unit behind a cellular DTU
    Duration retry_first = std::chrono::seconds{10}, retry_longest = std::chrono::minutes{5};
};

struct ModbusReadingCounters : BusRowCounters {
    std::uint64_t values = 0, withheld = 0, silent = 0, back = 0, wrong_maps = 0;
};

/// Polls the meters behind DTUs that call in and gateways that we call: a sans-IO master for each bus, over
/// the half-duplex queue of its session. Rows go where a concentrator's go (bus_rows.h). A meter whose first
/// answers are not plausible is told and nothing of it is stored. One thread.
class ModbusReading : public frontend::CallerWork {
public:
    struct Ports {
        /// Who is on the bus; nothing when the database does not answer.
        std::function<void(DeviceNumber bus,
                           std::function<void(std::optional<std::vector<database::BusMeter>>)> done)>
            meters;
        std::function<void(DeviceNumber bus, std::uint8_t unit, Buffer pdu, frontend::Relay::Done done)>
            carry;
        frontend::Store& store;
        /// The store knows a newer session.
        std::function<void(DeviceNumber bus, OwnerEpoch epoch)> superseded;
        /// wake() is another.
        std::function<void()> moved;
        std::function<void(const std::string& line)> log;
        std::function<Instant()> now;
    };
    ModbusReading(ModbusReadingSettings settings, Ports ports);
    ~ModbusReading() override;

    void admitted(DeviceNumber bus, OwnerEpoch epoch, link::Carried carries) override;
    void ended(DeviceNumber bus) override;
    void pushed(DeviceNumber, OwnerEpoch, Buffer, Instant) override {}
    /// When tick() has something to do.
    Instant wake() const;
    void tick(Instant now);

    std::size_t buses() const { return buses_.size(); }
    const ModbusReadingCounters& counters() const { return counters_; }

private:
    struct Unit;
    struct Bus;
    /// What was told of a meter, so that a DTU that calls in again and again does not tell it every time.
    struct Told {
        std::optional<Instant> wrong, silent;
    };
    void load(Bus& bus);
    void begin(Bus& bus, const std::vector<database::BusMeter>& meters);
    void poll(Bus& bus);
    void on_answer(Bus& bus, const modbus::BusMaster::Ask& ask, Instant asked,
                   const frontend::RelayOutcome& outcome);
    void judge(Unit& unit, const modbus::Read& read, const modbus::Registers& registers);
    void take_events(Bus& bus, Instant asked);
    void on_silent(Unit& unit);
    void superseded(DeviceNumber bus, OwnerEpoch epoch);

    ModbusReadingSettings settings_;
    Ports ports_;
    std::map<DeviceNumber, std::unique_ptr<Bus>> buses_;
    std::map<DeviceNumber, Told> told_;
    ModbusReadingCounters counters_;
};

}  // namespace wattmesh::headend::monitor
