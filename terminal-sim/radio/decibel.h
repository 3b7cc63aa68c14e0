#pragma once
#include <array>
#include <cstdint>

/// Powers as integers: thousandths of a decibel (mdB, mdBm) and linear units of 10^-16 mW. Tables are filled
/// once from libm and rounded, so that everything after them is integer arithmetic.
namespace wattmesh::sim {

using Mdb = std::int32_t;
/// 1 unit = 10^-16 mW = -160 dBm; 64 bits reach beyond +30 dBm.
using Power = std::uint64_t;

Power power_of(Mdb mdbm);
/// -160 000 for nothing.
Mdb mdbm_of(Power power);
/// 10 000 x log10(value): 20 log10 is twice that. `value` >= 1.
Mdb decade_mdb(std::uint64_t value);

/// Standard normal deviate x 1024 for 16 random bits (inverse distribution in 4096 equal steps; reaches
/// +-3.5).
std::int32_t normal_q10(std::uint32_t chance16);
/// Exponential deviate of mean 1 x 1024 for 16 random bits.
std::int32_t exponential_q10(std::uint32_t chance16);
/// 1024 / sqrt((1-f)^2 + f^2 + 2 f (1-f) rho) for f = step/64: keeps the variance of a line between two
/// deviates constant whose correlation is rho = correlation_milli / 1000; 0 and 607 (e^-1/2) are in store.
std::int32_t blend_gain_q10(std::uint32_t step64, std::int32_t correlation_milli = 0);
/// -log2(1 - P_b) x 2^32 of one bit at this SINR + 10 log10(B/R), P_b = exp(-E_b / 2 N_0) / 2.
std::uint64_t bit_loss_q32(Mdb eb_n0);
/// Chance x 65 536 that bits of this summed loss are all right.
std::uint32_t success_q16(std::uint64_t loss_q32);

/// splitmix64: the whole of chance in the field comes from it.
constexpr std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ value >> 27) * 0x94D049BB133111EBULL;
    return value ^ value >> 31;
}
constexpr std::uint64_t keyed(std::uint64_t seed, std::uint64_t stream, std::uint64_t a,
                              std::uint64_t b = 0) {
    return mixed(mixed(mixed(seed ^ stream * 0xD6E8FEB86659FD93ULL) ^ a) ^ b);
}

}  // namespace wattmesh::sim
