#pragma once
#include <set>

#include "headend/database/clocks.h"
#include "headend/monitor/meter_errand.h"
#include "headend/monitor/on_demand.h"

namespace wattmesh::headend::monitor {

/// Asks meters what time it is, and shifts their clocks. One thread.
class ClockDesk {
public:
    using Measured =
        std::function<void(const std::string& fault, std::optional<database::ClockReading> reading)>;
    /// The references outlive this object.
    ClockDesk(KeyService& keys, OnDemand& on_demand, Carry carry, OnDemand::Now now, Ciphers& ciphers,
              Random& random)
        : keys_(keys),
          on_demand_(on_demand),
          carry_(std::move(carry)),
          now_(std::move(now)),
          ciphers_(ciphers),
          random_(random) {}

    /// Asked twice in one association: the first answer took the association's time too. `done` comes once,
    /// unless this object goes before.
    void measure(DeviceNumber meter, Measured done);
    /// shift_time by -900 to 900 s: what the way there takes does not matter. `fault` empty: the meter took
    /// it. `sent`: it may have.
    void shift(DeviceNumber meter, int seconds, const std::string& actor,
               std::function<void(const std::string& fault, bool sent)> done);

private:
    KeyService& keys_;
    OnDemand& on_demand_;
    Carry carry_;
    OnDemand::Now now_;
    Ciphers& ciphers_;
    Random& random_;
    std::set<std::shared_ptr<MeterErrand>> errands_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
