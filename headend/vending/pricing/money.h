#pragma once
#include <compare>
#include <cstdint>

namespace wattmesh::headend::vending::pricing {

/// An amount in the currency's smallest coin (cents). What a customer pays never goes through a fraction of
/// it.
struct Money {
    std::int64_t minor = 0;
    friend auto operator<=>(const Money&, const Money&) = default;
    friend Money operator+(Money a, Money b) { return {a.minor + b.minor}; }
    friend Money operator-(Money a, Money b) { return {a.minor - b.minor}; }
    Money& operator+=(Money other) {
        minor += other.minor;
        return *this;
    }
    Money& operator-=(Money other) {
        minor -= other.minor;
        return *this;
    }
};

/// Tenths of a unit, the grain of a token: 0.1 kWh, 0.1 m3.
struct Tenths {
    std::int64_t count = 0;
    friend auto operator<=>(const Tenths&, const Tenths&) = default;
    friend Tenths operator+(Tenths a, Tenths b) { return {a.count + b.count}; }
    friend Tenths operator-(Tenths a, Tenths b) { return {a.count - b.count}; }
};

/// Thousandths of the smallest coin for a whole unit: 2.5731 a kWh is 257 310.
struct Price {
    std::int64_t mills = 0;
    friend auto operator<=>(const Price&, const Price&) = default;
};

/// Parts of a million.
struct Share {
    std::int32_t ppm = 0;
    friend auto operator<=>(const Share&, const Share&) = default;
};

/// To the nearest coin, a half upwards. `amount` is not negative.
constexpr Money share_of(Money amount, Share share) {
    return {(amount.minor * share.ppm + 500'000) / 1'000'000};
}
/// What no more than that share of the amount is, in whole coins.
constexpr Money share_below(Money amount, Share share) { return {amount.minor * share.ppm / 1'000'000}; }

inline constexpr Money money_max{1'000'000'000'000};  ///< products with parts of a million fit into 64 bits
inline constexpr Price price_max{1'000'000'000};
inline constexpr Share whole{1'000'000};

}  // namespace wattmesh::headend::vending::pricing
