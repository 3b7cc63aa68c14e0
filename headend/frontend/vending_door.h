#pragma once
#include <functional>
#include <map>
#include <memory>

#include "headend/frontend/core.h"
#include "platform/connector.h"
#include "platform/log.h"
#include "platform/settings.h"

namespace wattmesh::headend::frontend {

/// The way of tunnels to vending, on real sockets: one TCP connection each, to the one address of the
/// configuration. Says in the log who opened which tunnel, and what went through. On the loop's thread.
class VendingDoor final : public MachineDoor {
public:
    static constexpr std::size_t tunnels_max = 64;  ///< of all concentrators

    /// The core gets this door if there is an address. `pump` performs soon what the core then wants.
    VendingDoor(platform::Loop& loop, Random& random, std::optional<platform::HostPort> vending, Core& core,
                std::function<void()> pump);
    ~VendingDoor() override;
    VendingDoor(const VendingDoor&) = delete;
    VendingDoor& operator=(const VendingDoor&) = delete;

    std::optional<link::TunnelReason> open(const TunnelKey& key) override;
    bool send(const TunnelKey& key, Bytes octets) override;
    void pause(const TunnelKey& key, bool paused) override;
    void close(const TunnelKey& key, link::TunnelReason why) override;

private:
    struct Way {
        std::unique_ptr<platform::Connector> connector;
        bool open = false;
        std::uint64_t up = 0, down = 0;
    };
    void ended(const TunnelKey& key, const std::string& reason);
    void tell_end(const TunnelKey& key, const Way& way, std::string_view reason);

    platform::Loop& loop_;
    Random& random_;
    std::optional<platform::HostPort> vending_;
    Core& core_;
    std::function<void()> pump_;
    platform::Log log_{"frontend"};
    std::map<TunnelKey, Way> ways_;
};

}  // namespace wattmesh::headend::frontend
