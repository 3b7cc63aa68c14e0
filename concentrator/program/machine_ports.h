#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "concentrator/core.h"
#include "platform/acceptor.h"
#include "platform/log.h"
#include "platform/serial_link.h"

namespace wattmesh::concentrator {

struct MachineSettings {
    std::optional<platform::HostPort> listen{};  ///< a numeric address
    std::optional<platform::SerialSettings> serial{};
};

/// Where vending machines are attached: a TCP port, a serial line, both or none. Feeds the core with what
/// they say. On the loop's thread; the core outlives it.
class MachinePorts {
public:
    static constexpr std::size_t links_max = 16;  ///< of TCP, at once

    /// Listens; throws platform::SocketError. `after` runs after each input of the core.
    MachinePorts(platform::Loop& loop, MachineSettings settings, Core& core,
                 std::function<Duration()> elapsed, std::function<void()> after);

    void start();
    /// What is not for a machine is passed over.
    void perform(const Action& action);
    /// Where it listens; 0: nowhere.
    std::uint16_t port() const { return acceptor_ ? acceptor_->port() : std::uint16_t{0}; }

private:
    void open_serial();
    void attach(std::unique_ptr<platform::Link> link, bool serial);
    void lost(MachineLine line, const std::string& reason);

    platform::Loop& loop_;
    MachineSettings settings_;
    Core& core_;
    std::function<Duration()> elapsed_;
    std::function<void()> after_;
    platform::Log log_{"machine"};
    std::unique_ptr<platform::Acceptor> acceptor_;
    platform::Timer again_;
    std::map<MachineLine, std::unique_ptr<platform::Link>> links_;
    std::optional<MachineLine> serial_;
    std::uint64_t newest_ = 0;
};

}  // namespace wattmesh::concentrator
