#pragma once
#include <memory>
#include <vector>

#include "platform/acceptor.h"
#include "protocol/mesh/host_stream.h"
#include "terminal-sim/field/field.h"

namespace wattmesh::sim {

/// Runs a field in (scaled) real time: one TCP port per concentrator's radio module, host frames as in
/// protocol/mesh/host_stream.h. The newest connection of a port wins, as when a plug is pulled and put
/// elsewhere.
class ModulePorts {
public:
    /// Port of concentrator i: `first_port` + i; 0: the system chooses each. Throws platform::SocketError.
    ModulePorts(platform::Loop& loop, Field& field, const std::string& address, std::uint16_t first_port);
    ~ModulePorts();

    std::uint16_t port(std::size_t concentrator) const;
    /// How far the field's time is behind the clock: the machine is too slow for the speed.
    Duration behind() const { return loop_.now() - field_.now(); }

    /// Simulated time that passes in one go before sockets are served again.
    static constexpr Duration slice{1'000'000};
    static constexpr std::chrono::milliseconds step_real_min{1}, save_real{1'000};

private:
    struct Module;
    void take(std::size_t index, std::unique_ptr<platform::Link> link);
    void advance();
    void flush();
    void save();

    platform::Loop& loop_;
    Field& field_;
    std::vector<std::unique_ptr<Module>> modules_;
    platform::Timer step_, save_;
};

}  // namespace wattmesh::sim
