#pragma once
#include <map>

#include "headend/frontend/address_range.h"
#include "platform/acceptor.h"
#include "platform/log.h"
#include "protocol/iec104/outstation.h"

namespace wattmesh::headend::exchange {

/// Masters that stand in for each other, and from where they come.
struct ScadaGroupSettings {
    std::string name;
    std::vector<frontend::AddressRange> allowed;  ///< none: from anywhere
    iec104::GroupSettings outstation;
};

struct ScadaListenerSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 2404;
    std::vector<ScadaGroupSettings> groups;  ///< a master belongs to the first that allows its address
    std::size_t connections_max = 32;
};

/// The TCP side of an outstation: who connects, octets, timers in real time. One thread.
class ScadaListener {
public:
    struct Events {
        std::function<void(const iec104::Command&, const std::string& peer)> on_command;
    };
    /// Listens from start() on; throws SocketError here. `outstation` gets the groups and outlives this.
    ScadaListener(platform::Loop& loop, ScadaListenerSettings settings, platform::TlsLink::Context tls,
                  iec104::Outstation& outstation, Events events);

    void start();
    void stop();
    std::uint16_t port() const { return acceptor_.port(); }
    std::size_t connections() const { return links_.size(); }
    /// Sends what the outstation has to say: after anything that was done to it.
    void pump();

private:
    void on_link(std::unique_ptr<platform::Link> link);
    void on_bytes(iec104::ConnectionId id, Bytes octets);
    void drop(iec104::ConnectionId id, const std::string& why);
    std::optional<std::size_t> group_of(const std::string& peer) const;
    void arm();
    void watch_buffers();

    platform::Loop& loop_;
    ScadaListenerSettings settings_;
    iec104::Outstation& outstation_;
    Events events_;
    platform::Acceptor acceptor_;
    platform::Timer timer_;
    platform::Log log_{"exchange"};
    std::map<iec104::ConnectionId, std::unique_ptr<platform::Link>> links_;
    std::vector<std::uint64_t> dropped_;  ///< by group, as logged last
};

}  // namespace wattmesh::headend::exchange
