#include "terminal-sim/radio/duty_ledger.h"

#include <algorithm>

namespace wattmesh::sim {
namespace {
constexpr Duration hour{3'600'000'000}, at_once_max{1'000'000}, silence{100'000};
}

Duration DutyLedger::limit() const {
    switch (profile_) {
        case DutyProfile::ten_and_one:
            return concentrator_ ? hour / 10 : hour / 100;
        case DutyProfile::polite:
            return Duration{100'000'000};
        case DutyProfile::none:
        case DutyProfile::short_burst:
            break;
    }
    return hour;
}

void DutyLedger::forget(Instant now) {
    const auto minute = epoch_us(now) / 60'000'000;
    const auto count = static_cast<std::int64_t>(minutes_.size());
    for (auto gone = std::max(minute_ + 1, minute - count + 1); gone <= minute; ++gone) {
        auto& slot = minutes_[static_cast<std::size_t>(gone % count)];
        used_ -= slot;
        slot = {};
    }
    minute_ = std::max(minute_, minute);
}

bool DutyLedger::allows(Duration airtime, Instant now) {
    if (profile_ == DutyProfile::none) return true;
    if (airtime > at_once_max && profile_ != DutyProfile::ten_and_one) return false;
    if (profile_ == DutyProfile::polite && now < silent_until_) return false;
    forget(now);
    return used_ + airtime <= limit();
}

void DutyLedger::sent(Duration airtime, Instant begin) {
    forget(begin);
    minutes_[static_cast<std::size_t>(minute_ % static_cast<std::int64_t>(minutes_.size()))] += airtime;
    used_ += airtime;
    most_used_ = std::max(most_used_, used_);
    silent_until_ = begin + airtime + silence;
}

Duration DutyLedger::used(Instant now) {
    forget(now);
    return used_;
}

}  // namespace wattmesh::sim
