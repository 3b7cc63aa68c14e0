#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "terminal-sim/meter/weather.h"

namespace wattmesh::sim {

/// Energy by channel of the load profile: A+ and A- in Wh, R+ and R- in varh.
struct Energies {
    std::array<std::int64_t, 4> channels{};
    Energies& operator+=(const Energies& other);
    friend Energies operator+(Energies a, const Energies& b) { return a += b; }
    friend Energies operator-(const Energies& a, const Energies& b);
    friend bool operator==(const Energies&, const Energies&) = default;
};

enum class LoadKind : std::uint8_t { household, shop, factory, summary };
std::string_view to_string(LoadKind kind);
std::optional<LoadKind> load_kind(std::string_view word);

/// When a customer's breaker was closed: switch instants in true time, in order. Starts closed.
class Supply {
public:
    void set(bool closed, Instant at);
    bool closed_at(Instant at) const;
    /// The part of [from, to] during which the breaker was closed.
    Duration closed_during(Instant from, Instant to) const;
    const std::vector<Instant>& switches() const { return switches_; }  ///< open, close, open, ...

private:
    std::vector<Instant> switches_;
};

/// What flows through one meter, in true time.
class Load {
public:
    virtual ~Load() = default;
    /// Energy of a whole quarter hour if the breaker stays closed: a pure function of seed, meter and
    /// interval.
    virtual Energies nominal(IntervalNumber interval) const = 0;
    /// Energy of the first `elapsed` (0..900 s) of a quarter hour, breaker included; never shrinks with
    /// `elapsed`.
    virtual Energies during(IntervalNumber interval, Duration elapsed) const = 0;
};

/// A household, shop or factory: shape of the day, weather, weekday, holidays and noise from the seed.
/// Integers only.
class CustomerLoad final : public Load {
public:
    CustomerLoad(std::uint64_t seed, const DeviceNumber& meter, LoadKind kind, bool solar);
    Energies nominal(IntervalNumber interval) const override;
    Energies during(IntervalNumber interval, Duration elapsed) const override;
    Supply& supply() { return supply_; }
    const Supply& supply() const { return supply_; }

private:
    std::int64_t consumed_watts(IntervalNumber interval) const;
    std::uint64_t chance(std::uint64_t stream, std::int64_t of) const;

    std::uint64_t seed_, meter_;
    LoadKind kind_;
    Weather weather_;
    std::int64_t base_watts_, shift_slots_, watts_per_tenth_, tangent_permille_, panel_watts_, capacitor_var_;
    Supply supply_;
};

/// The transformer: channel by channel the sum of its customers, and in A+ the loss of the lines and seeded
/// theft as well; to the Wh at the end of every quarter hour (true time).
class SummaryLoad final : public Load {
public:
    /// The customers must outlive it.
    SummaryLoad(std::uint64_t seed, const DeviceNumber& meter, std::vector<const Load*> customers);
    Energies nominal(IntervalNumber interval) const override { return during(interval, whole); }
    Energies during(IntervalNumber interval, Duration elapsed) const override;
    /// Wh of a whole quarter hour.
    std::int64_t loss(IntervalNumber interval) const;
    std::int64_t theft(IntervalNumber interval) const;
    static constexpr Duration whole = std::chrono::seconds{interval_s};

private:
    std::uint64_t seed_, meter_;
    std::vector<const Load*> customers_;
    std::int64_t thieves_;
};

/// The part of a whole quarter hour's count that belongs to its first `elapsed`, rounded down.
constexpr std::int64_t part_of(std::int64_t count, Duration elapsed) {
    return count * (elapsed.count() / 1000) / (interval_s * 1000);
}

}  // namespace wattmesh::sim
