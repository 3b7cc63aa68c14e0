#pragma once
#include <compare>
#include <cstdint>
#include <numeric>
#include <ratio>

namespace wattmesh {

/// An integer amount of one dimension, scaled like std::chrono::duration: exact conversions are implicit, the
/// ones that would round do not compile.
template <class Dimension, class Scale = std::ratio<1>>
class Quantity {
public:
    using scale = Scale;
    constexpr Quantity() = default;
    constexpr explicit Quantity(std::int64_t count) : count_(count) {}
    template <class Other>
        requires(std::ratio_divide<Other, Scale>::den == 1)
    constexpr Quantity(const Quantity<Dimension, Other>& other)
        : count_(other.count() * std::ratio_divide<Other, Scale>::num) {}

    constexpr std::int64_t count() const { return count_; }
    constexpr Quantity& operator+=(Quantity other) {
        count_ += other.count_;
        return *this;
    }
    constexpr Quantity& operator-=(Quantity other) {
        count_ -= other.count_;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
    friend constexpr auto operator<=>(const Quantity&, const Quantity&) = default;

private:
    std::int64_t count_ = 0;
};

using Wh = Quantity<struct ActiveEnergy>;
using kWh = Quantity<struct ActiveEnergy, std::kilo>;
using varh = Quantity<struct ReactiveEnergy>;

}  // namespace wattmesh
