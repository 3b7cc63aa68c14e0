#pragma once
#include <map>
#include <memory>

#include "platform/connector.h"
#include "platform/settings.h"
#include "terminal-sim/device/sim_modem.h"

namespace wattmesh::sim {

/// A simulated modem as programs meet it: a pseudo-terminal on one side, real TCP on the other. Its time is
/// real.
class ModemPort {
public:
    /// Opens a pseudo-terminal. `reset_file`: its reset line, looked at ten times a second; a 1 in it resets.
    /// Throws std::runtime_error when there is no pseudo-terminal.
    ModemPort(platform::Loop& loop, Random& random, ModemTruth truth, std::string reset_file = {});
    ~ModemPort();
    ModemPort(const ModemPort&) = delete;
    ModemPort& operator=(const ModemPort&) = delete;

    /// The serial port for the program that uses the modem.
    const std::string& device() const { return device_; }
    SimModem& modem() { return modem_; }
    /// Whatever address is called, calls lead there, as in an operator's private network.
    void lead_to(platform::HostPort place) { place_ = std::move(place); }
    /// After the truth was changed from outside.
    void pump();

private:
    void look();
    void perform(const SimModemAction& action);
    void connect(const ModemConnect& call);

    platform::Loop& loop_;
    Random& random_;
    SimModem modem_;
    std::string reset_file_, device_;
    std::optional<platform::HostPort> place_;
    bool reset_high_ = false;
    int master_ = -1, slave_ = -1;
    platform::Timer timer_;
    Buffer out_;
    std::map<int, std::unique_ptr<platform::Connector>> calls_;
};

}  // namespace wattmesh::sim
