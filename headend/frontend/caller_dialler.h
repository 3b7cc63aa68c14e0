#pragma once
#include <map>
#include <memory>
#include <vector>

#include "headend/frontend/caller_core.h"
#include "platform/connector.h"
#include "platform/log.h"
#include "platform/settings.h"

namespace wattmesh::headend::frontend {

/// Devices that do not call in but are called: Modbus TCP gateways, by address. Their links feed the same
/// sessions; who answers there is believed to be the device that is registered with this address. Everything
/// runs on the loop's thread.
class CallerDialler {
public:
    struct Place {
        DeviceNumber device;
        platform::HostPort at;
        friend bool operator==(const Place&, const Place&) = default;
    };
    /// After a newer session of the device in another process, so that two do not take turns.
    static constexpr std::chrono::minutes pause_after_superseded{5};

    /// All outlive it. `moved`: the core has actions.
    CallerDialler(platform::Loop& loop, Random& random, CallerCore& core, std::function<void()> moved);
    ~CallerDialler();

    /// Who is to be called from now on; a link of somebody else is dropped.
    void set(const std::vector<Place>& places);
    void stop();
    /// False: the action is about none of its links.
    bool perform(const CallerAction& action);
    std::size_t open() const { return links_.size(); }

private:
    struct Dial;
    void dial(Dial& one);
    void on_open(Dial& one);
    void on_closed(Dial& one, const std::string& reason);

    platform::Loop& loop_;
    Random& random_;
    CallerCore& core_;
    std::function<void()> moved_;
    platform::Log log_;
    CallerPort port_{.name = "dialled", .profiles = {}, .sniff = false, .carries = link::Carried::modbus_tcp};
    std::map<DeviceNumber, std::unique_ptr<Dial>> dials_;
    std::map<LinkId, Dial*> links_;
    std::uint64_t next_link_;
};

}  // namespace wattmesh::headend::frontend
