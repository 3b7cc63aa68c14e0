#pragma once
#include <memory>
#include <vector>

#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

inline DeviceNumber customer_number(int index) {
    return *DeviceNumber::parse("5400000000" + std::to_string(10 + index));
}
/// 2026-11-16 00:00 UTC, a Monday.
inline constexpr Instant monday{std::chrono::sys_days{std::chrono::year{2026} / 11 / 16}};
inline IntervalNumber quarter(Instant at) { return interval_of(at); }

/// A few customers and their transformer.
struct Street {
    explicit Street(std::uint64_t seed, int households = 6) {
        for (int i = 0; i < households; ++i) add(seed, i, LoadKind::household, i == 1);
        add(seed, households, LoadKind::shop, false);
        add(seed, households + 1, LoadKind::factory, false);
        std::vector<const Load*> all;
        for (const auto& customer : customers) all.push_back(customer.get());
        summary = std::make_unique<SummaryLoad>(seed, *DeviceNumber::parse("800000000001"), all);
    }
    void add(std::uint64_t seed, int index, LoadKind kind, bool solar) {
        customers.push_back(std::make_unique<CustomerLoad>(seed, customer_number(index), kind, solar));
    }
    std::vector<std::unique_ptr<CustomerLoad>> customers;
    std::unique_ptr<SummaryLoad> summary;
};

}  // namespace wattmesh::sim
