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
    /// How shifting went. `fault` empty: the meter took it; held_back: `still` said no. `sent`: it may have
    /// taken it. `after`: what it showed then, when it told.
    struct Shifted {
        std::string fault;
        bool sent = false;
        std::optional<database::ClockReading> after{};
    };
    using Still = std::function<bool(const database::ClockReading&)>;
    static constexpr const char* held_back = "held_back";
    /// shift_time by -900 to 900 s: what the way there takes does not matter. In one association, while
    /// nobody else talks with the meter, it is asked once more what time it is, shifted if that `still` makes
    /// it right, and asked again. `done` as above.
    void shift(DeviceNumber meter, int seconds, const std::string& actor, Still still,
               std::function<void(const Shifted&)> done);

private:
    struct Shift;
    void send(const std::shared_ptr<Shift>& shift, GuardedAccess access);
    std::optional<database::ClockReading> reading(const dlms::Data& value, Duration took) const;

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
