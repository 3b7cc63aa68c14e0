#include "terminal-sim/meter/ledger.h"

namespace wattmesh::sim {

IntervalNumber interval_of(Instant at) { return epoch_us(at) / (interval_s * 1'000'000); }

bool day_tariff(IntervalNumber interval) {
    const int hour = slot_of_day(interval) / 4;
    return hour >= 6 && hour < 22;
}

Ledger::Ledger(const Load& load, Instant installed_at)
    : load_(load), first_(interval_of(installed_at)), sums_(1) {}

const Registers& Ledger::whole_intervals(IntervalNumber before) const {
    while (first_ + static_cast<IntervalNumber>(sums_.size()) <= before) {
        const IntervalNumber interval = first_ + static_cast<IntervalNumber>(sums_.size()) - 1;
        Registers sum = sums_.back();
        (day_tariff(interval) ? sum.day : sum.night) += load_.during(interval, SummaryLoad::whole);
        sums_.push_back(sum);
    }
    return sums_[before <= first_ ? 0 : static_cast<std::size_t>(before - first_)];
}

Registers Ledger::at(Instant at) const {
    const IntervalNumber interval = interval_of(at);
    Registers sum = whole_intervals(interval);
    if (interval >= first_) {
        const Instant start = from_epoch_us(interval * interval_s * 1'000'000);
        (day_tariff(interval) ? sum.day : sum.night) += load_.during(interval, at - start);
    }
    return sum;
}

}  // namespace wattmesh::sim
