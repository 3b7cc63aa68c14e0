#pragma once
#include <cstdint>

namespace wattmesh::sim {

/// One step of splitmix64 (Steele, Lea, Flood 2014): a bijection that scatters neighbouring numbers.
constexpr std::uint64_t scatter(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

/// A number that depends on its keys alone, so that asking twice or in another order changes nothing.
constexpr std::uint64_t draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t first,
                             std::uint64_t second = 0) {
    return scatter(scatter(scatter(scatter(seed) ^ stream) ^ first) ^ second);
}

/// `number` folded into low..high, both included.
constexpr std::int64_t within(std::uint64_t number, std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(number % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace wattmesh::sim
