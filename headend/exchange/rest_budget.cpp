#include "headend/exchange/rest_budget.h"

#include <algorithm>
#include <cmath>

namespace wattmesh::headend::exchange {

std::optional<Duration> RestBudget::spend(database::ContractId contract, int per_minute, Instant now) {
    const std::lock_guard lock{mutex_};
    const double most = per_minute, per_us = most / 60e6;
    const auto [found, fresh] = purses_.try_emplace(contract, Purse{most, now});
    auto& purse = found->second;
    if (!fresh) {
        const auto passed = std::max(now - purse.at, Duration{});  // a clock may be set back
        purse.requests = std::min(most, purse.requests + static_cast<double>(passed.count()) * per_us);
        purse.at = now;
    }
    if (purse.requests < 1)
        return Duration{static_cast<Duration::rep>(std::ceil((1 - purse.requests) / per_us))};
    purse.requests -= 1;
    return std::nullopt;
}

std::shared_ptr<RestBudget::Stream> RestBudget::begin(database::ContractId contract) {
    const std::lock_guard lock{mutex_};
    if (streams_[contract] >= streams_max) return nullptr;
    ++streams_[contract];
    return std::make_shared<Stream>(*this, contract);
}

void RestBudget::end(database::ContractId contract) {
    const std::lock_guard lock{mutex_};
    --streams_[contract];
}

}  // namespace wattmesh::headend::exchange
