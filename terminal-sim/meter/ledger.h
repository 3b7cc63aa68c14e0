#pragma once
#include <array>
#include <vector>

#include "terminal-sim/meter/load.h"

namespace wattmesh::sim {

/// Registers of a meter since it was installed: total = day tariff + night tariff, to the Wh.
struct Registers {
    Energies day;    ///< T1, 06:00 to 22:00
    Energies night;  ///< T2
    Energies total() const { return day + night; }
};

/// Sums a load from the instant a meter was installed. Whole quarter hours are kept, so asking again is
/// cheap.
class Ledger {
public:
    /// `load` must outlive it; `installed_at` is counted from the start of its quarter hour.
    Ledger(const Load& load, Instant installed_at);
    /// Sum of all quarter hours before `at` and the part of the one that runs at `at`. Zero before the
    /// installation.
    const Registers& whole_intervals(IntervalNumber before) const;
    Registers at(Instant at) const;

private:
    const Load& load_;
    IntervalNumber first_;
    mutable std::vector<Registers> sums_;  ///< sums_[i]: before interval first_ + i
};

/// The quarter hour that runs at `at`.
IntervalNumber interval_of(Instant at);
bool day_tariff(IntervalNumber interval);

}  // namespace wattmesh::sim
