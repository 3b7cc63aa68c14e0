#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocol/link/tunnel.h"

namespace wattmesh::headend::frontend {

/// One tunnel of this front-end: the concentrator, and its name for it.
struct TunnelKey {
    DeviceNumber concentrator;
    std::uint16_t tunnel = 0;
    friend auto operator<=>(const TunnelKey&, const TunnelKey&) = default;
};

/// Connects tunnels to vending and to nothing else. After open() it says Core::tunnel_opened or
/// tunnel_closed, later, on the same thread; after close() nothing more of this key.
class MachineDoor {
public:
    virtual ~MachineDoor() = default;
    /// Why not, or nothing.
    virtual std::optional<link::TunnelReason> open(const TunnelKey& key) = 0;
    /// False: vending does not take them.
    virtual bool send(const TunnelKey& key, Bytes octets) = 0;
    /// Read no more of vending, or read on.
    virtual void pause(const TunnelKey& key, bool paused) = 0;
    /// What was sent before still goes out. `why` is for the log.
    virtual void close(const TunnelKey& key, link::TunnelReason why) = 0;
};

struct TunnelCounters {
    std::uint64_t opened = 0, refused = 0, octets_up = 0, octets_down = 0;
    std::uint64_t stray = 0;  ///< messages of no tunnel, or no messages
};

/// The tunnels of one concentrator's session, sans-IO: vending machines that are attached there. A tunnel
/// carries the machine's TLS connection; nobody here can read it.
class Tunnels {
public:
    static constexpr std::size_t tunnels_max = 8;  ///< of one concentrator

    /// Without a door every tunnel is refused.
    Tunnels(DeviceNumber concentrator, MachineDoor* door) : concentrator_(concentrator), door_(door) {}

    /// A payload of the concentrator's tunnel SAP.
    void receive(Bytes payload);
    /// The answer to a request that comes before the session may do any work; empty: none is due.
    static Buffer too_early(Bytes payload);
    void opened(std::uint16_t tunnel);
    void came(std::uint16_t tunnel, Bytes octets);
    void closed(std::uint16_t tunnel, link::TunnelReason reason);
    /// The session ended.
    void close();
    std::vector<Buffer> take_output() { return std::exchange(output_, {}); }

    std::size_t open() const { return tunnels_.size(); }
    const TunnelCounters& counters() const { return counters_; }

private:
    struct Tunnel {
        link::TunnelEnd end;
        bool paused = false;
        std::optional<link::TunnelReason> over{};  ///< vending closed; the rest is on its way
    };
    using Held = std::map<std::uint16_t, Tunnel>::iterator;

    TunnelKey key(std::uint16_t tunnel) const { return {concentrator_, tunnel}; }
    void on(const link::TunnelOpen& open);
    void on(const link::TunnelData& data, Held held);
    void flush(Held held);
    void drop(Held held, link::TunnelReason reason);
    void send(const link::TunnelMessage& message) { output_.push_back(link::encode_tunnel(message)); }

    DeviceNumber concentrator_;
    MachineDoor* door_;
    std::map<std::uint16_t, Tunnel> tunnels_;
    std::vector<Buffer> output_;
    TunnelCounters counters_;
};

}  // namespace wattmesh::headend::frontend
