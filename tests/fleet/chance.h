#pragma once
#include <cstdint>

#include "protocol/base/cipher.h"
#include "protocol/base/time.h"

namespace wattmesh::fleet {

/// Everything unpredictable of a run, from its seed: splitmix64 (Steele, Lea, Flood 2014). Integers only, so
/// that every compiler and preset sees the same run.
class Chance final : public Random {
public:
    Chance(std::uint64_t seed, std::uint64_t stream) : state_(seed * 0x9E3779B97F4A7C15ULL ^ stream << 32) {}

    std::uint64_t number() {
        std::uint64_t value = state_ += 0x9E3779B97F4A7C15ULL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
        return value ^ (value >> 31);
    }
    /// Both ends included.
    std::int64_t within(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(number() % static_cast<std::uint64_t>(high - low + 1));
    }
    Duration between(Duration low, Duration high) { return Duration{within(low.count(), high.count())}; }
    bool in_a_thousand(int share) { return within(0, 999) < share; }
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = static_cast<std::uint8_t>(number());
    }

private:
    std::uint64_t state_;
};

}  // namespace wattmesh::fleet
