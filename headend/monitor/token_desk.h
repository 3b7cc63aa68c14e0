#pragma once
#include <set>

#include "headend/database/deliveries.h"
#include "headend/monitor/meter_errand.h"
#include "headend/monitor/on_demand.h"
#include "protocol/cosem/models/meter_model.h"
#include "protocol/cosem/payment.h"

namespace wattmesh::headend::monitor {

/// What a meter's token gateway shows of the token that came last.
struct GatewayView {
    std::string digits;
    cosem::token_gateway::DeliveryMethod from{};
    cosem::token_gateway::TokenStatus status{};
    /// Carried out, and not only looked at.
    bool executed() const {
        return status.status_code == cosem::token_gateway::StatusCode::token_execution_ok;
    }
};

/// How entering a token ended.
struct TokenOutcome {
    /// Empty: the gateway answered. Else a stable word, as of an errand: offline, unreachable, busy ...
    std::string fault;
    bool sent = false;  ///< the meter may have it
    cosem::token_gateway::TokenStatus status{};
};

/// Talks with the payment objects of one meter at a time: twenty digits in, what is left out. The role
/// vending of the key service, which can do nothing else. One thread.
class TokenDesk {
public:
    template <class T>
    using Told = std::function<void(std::string fault, std::optional<T>)>;
    /// The references outlive this object.
    TokenDesk(KeyService& keys, OnDemand& on_demand, Carry carry, Ciphers& ciphers, Random& random)
        : keys_(keys), on_demand_(on_demand), carry_(std::move(carry)), ciphers_(ciphers), random_(random) {}

    /// Each `done` comes once, unless this object goes before.
    void look(DeviceNumber meter, const cosem::MeterModel& model, Told<GatewayView> done);
    void enter(DeviceNumber meter, const cosem::MeterModel& model, const std::string& digits,
               std::function<void(TokenOutcome)> done);
    void balance(DeviceNumber meter, const cosem::MeterModel& model, Told<database::MeterBalance> done);
    /// Tenths of a volt behind the breaker. For models that show it.
    void load_side(DeviceNumber meter, const cosem::MeterModel& model, Told<std::int64_t> done);

private:
    void read(DeviceNumber meter, std::vector<dlms::AttributeId> wanted,
              std::function<void(std::string fault, std::vector<OnDemandResult>)> done);

    KeyService& keys_;
    OnDemand& on_demand_;
    Carry carry_;
    Ciphers& ciphers_;
    Random& random_;
    std::set<std::shared_ptr<MeterErrand>> errands_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace wattmesh::headend::monitor
