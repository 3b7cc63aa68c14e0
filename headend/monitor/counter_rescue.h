#pragma once
#include <memory>
#include <optional>

#include "headend/monitor/meter_road.h"
#include "protocol/dlms/counter_recovery.h"

namespace wattmesh::headend::monitor {

/// Asks a meter that refused the management client, as public client, which counter it accepted last: once in
/// the life of this object. Whoever asked raises the counter and tries once more.
class CounterRescue : public std::enable_shared_from_this<CounterRescue> {
public:
    using Done = std::function<void(dlms::CounterRecoveryEvent)>;
    CounterRescue(Ciphers& ciphers, Random& random)
        : recovery_(management_client, nothing_, ciphers, random) {}

    /// Whether the event, which ended an association attempt, may come from a counter, and nobody asked yet.
    bool may_help(const dlms::ClientEvent& event) const {
        return recovery_.consider(event) == dlms::CounterRecovery::Advice::recover;
    }
    /// `carry` outlives the asking; `done` comes once, unless this object goes before.
    void begin(DeviceNumber concentrator, DeviceNumber meter, const Carry& carry, Done done);

private:
    void pump();

    NoCounters nothing_;
    dlms::CounterRecovery recovery_;
    DeviceNumber concentrator_, meter_;
    const Carry* carry_ = nullptr;
    Done done_;
};

}  // namespace wattmesh::headend::monitor
