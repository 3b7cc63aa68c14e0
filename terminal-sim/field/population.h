#pragma once
#include <map>
#include <memory>
#include <vector>

#include "terminal-sim/field/town.h"
#include "terminal-sim/meter/counter_file.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// The meters of a town over their loads, each summary meter over the customers of its concentrator.
class Population {
public:
    /// What a meter (its place in the town's order) does with the argument of a key transfer.
    using TakeKeys = std::function<bool(std::size_t meter, KeyOwner owner, const dlms::Data& argument)>;
    /// `counters` (two slots per meter, in the town's order) and `truth` outlive it. `prepaid`: the meters
    /// that sell by token.
    Population(const Town& town, Instant installed_at, CounterFile& counters, Truth& truth,
               const TakeKeys& take_keys, const std::map<DeviceNumber, PrepaidSettings>& prepaid = {});

    std::size_t size() const { return meters_.size(); }
    Meter& meter(std::size_t index) { return *meters_[index]; }
    const Meter& meter(std::size_t index) const { return *meters_[index]; }
    /// Position in the town's order; nothing for an unknown number.
    std::optional<std::size_t> find(const DeviceNumber& number) const;
    const SummaryLoad* summary_load(std::size_t index) const;

    /// Captures every row due by `now` at all meters; customers come before the transformer that sums them.
    void advance(Instant now);

private:
    std::vector<std::unique_ptr<Load>> loads_;
    std::vector<std::unique_ptr<Meter>> meters_;
    std::map<DeviceNumber, std::size_t> index_;
    std::vector<Instant> due_;
    std::vector<std::size_t> order_;  ///< customers first
};

}  // namespace wattmesh::sim
