#pragma once
#include <set>

#include "headend/monitor/meter_errand.h"
#include "headend/monitor/on_demand.h"
#include "headend/monitor/parameter_sets.h"

namespace wattmesh::headend::monitor {

/// What a meter must be told so that it holds `wanted`, of which it showed `actual`: only what differs. A
/// calendar goes whole into its passive half, which is then made the active one (Blue Book ed. 14, 4.5.5).
std::vector<MeterErrand::Step> steps_to(const std::vector<ParameterMember>& wanted,
                                        const std::vector<dlms::Data>& actual);

/// Reads and writes members of a parameter set. One thread.
class ParameterDesk {
public:
    using Read = std::function<void(const std::string& fault, const std::vector<dlms::Data>& actual)>;
    /// The references outlive this object.
    ParameterDesk(KeyService& keys, OnDemand& on_demand, Carry carry, Ciphers& ciphers, Random& random)
        : keys_(keys), on_demand_(on_demand), carry_(std::move(carry)), ciphers_(ciphers), random_(random) {}

    /// In their order. `done` comes once, unless this object goes before.
    void read(DeviceNumber meter, const std::vector<ParameterMember>& members, Read done);
    /// In one association. `disconnects`: grants for steps that can open the breaker; only the command gate
    /// has any (limit_job.h). `fault` empty: the meter took every step. `sent`: it may have taken some.
    void write(DeviceNumber meter, std::vector<MeterErrand::Step> steps, int disconnects,
               const std::string& actor, std::function<void(const std::string& fault, bool sent)> done);

private:
    KeyService& keys_;
    OnDemand& on_demand_;
    Carry carry_;
    Ciphers& ciphers_;
    Random& random_;
    std::set<std::shared_ptr<MeterErrand>> errands_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
