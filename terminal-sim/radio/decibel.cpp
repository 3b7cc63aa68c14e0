#include "terminal-sim/radio/decibel.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace wattmesh::sim {
namespace {

constexpr std::size_t fraction_count = 10'000;  // mdB within one decade
constexpr std::size_t normal_count = 4'096;
constexpr Mdb eb_n0_min = -10'000, eb_n0_max = 20'000, eb_n0_step = 25;
constexpr std::size_t loss_count = (eb_n0_max - eb_n0_min) / eb_n0_step + 1;
constexpr std::size_t success_count = 4'097;  // losses up to 16 bits in steps of 1/256

double inverse_normal(double p) {
    double low = -6, high = 6;  // bisection: runs once per entry and start
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

struct Tables {
    std::array<std::uint64_t, fraction_count> ten_power{};  // 10^(i/10000) x 2^32
    std::array<std::int32_t, 4'097> decade{};               // 10000 log10(1 + i/4096)
    std::array<std::int32_t, normal_count> normal{}, exponential{};
    std::array<std::int32_t, 65> blend{}, blend_correlated{};
    std::array<std::uint64_t, loss_count> loss{};
    std::array<std::uint32_t, success_count> success{};

    Tables() {
        for (std::size_t i = 0; i < ten_power.size(); ++i)
            ten_power[i] = static_cast<std::uint64_t>(
                std::llround(std::pow(10.0, static_cast<double>(i) / fraction_count) * 4294967296.0));
        for (std::size_t i = 0; i < decade.size(); ++i)
            decade[i] = static_cast<std::int32_t>(
                std::lround(10'000 * std::log10(1 + static_cast<double>(i) / 4'096)));
        for (std::size_t i = 0; i < normal_count; ++i) {
            const double p = (static_cast<double>(i) + 0.5) / normal_count;
            normal[i] = static_cast<std::int32_t>(std::lround(1'024 * inverse_normal(p)));
            exponential[i] = static_cast<std::int32_t>(std::lround(-1'024 * std::log(1 - p)));
        }
        for (std::size_t i = 0; i < blend.size(); ++i) {
            const double f = static_cast<double>(i) / 64;
            const double apart = f * f + (1 - f) * (1 - f), cross = 2 * f * (1 - f);
            blend[i] = static_cast<std::int32_t>(std::lround(1'024 / std::sqrt(apart)));
            blend_correlated[i] =
                static_cast<std::int32_t>(std::lround(1'024 / std::sqrt(apart + cross * std::exp(-0.5))));
        }
        for (std::size_t i = 0; i < loss_count; ++i) {
            const double mdb = eb_n0_min + static_cast<double>(i) * eb_n0_step;
            const double error = std::exp(-std::pow(10.0, mdb / 10'000) / 2) / 2;
            loss[i] = static_cast<std::uint64_t>(std::llround(-std::log2(1 - error) * 4294967296.0));
        }
        for (std::size_t i = 0; i < success_count; ++i)
            success[i] =
                static_cast<std::uint32_t>(std::lround(65'536 * std::exp2(-static_cast<double>(i) / 256)));
    }
};

const Tables& tables() {
    static const Tables instance;
    return instance;
}
const Tables& table = tables();

}  // namespace

Power power_of(Mdb mdbm) {
    const Mdb above = mdbm + 160'000;  // 10 000 mdB per decade
    if (above <= 0) return 0;
    static constexpr auto scales = [] {
        std::array<Power, 20> made{1};
        for (std::size_t i = 1; i < made.size(); ++i) made[i] = made[i - 1] * 10;
        return made;
    }();
    const Power scale = scales[std::min<std::size_t>(static_cast<std::size_t>(above / 10'000), 19)];
    const auto fraction = table.ten_power[static_cast<std::size_t>(above % 10'000)];
    const Power whole = fraction >> 32, part = fraction & 0xFFFFFFFF;
    // in 64 bits: large scales give up octets of the fraction that no longer matter
    const Power more = scale < (Power{1} << 31) ? scale * part >> 32 : (scale >> 24) * (part >> 8);
    return scale * whole + more;
}

Mdb decade_mdb(std::uint64_t value) {
    const int top = 63 - std::countl_zero(value | 1);
    // 10 000 log10(2) = 3010.29996
    const auto whole = static_cast<Mdb>((static_cast<std::int64_t>(top) * 301'029'996 + 50'000) / 100'000);
    const std::uint64_t mantissa = top >= 12 ? value >> (top - 12) : value << (12 - top);
    return whole + table.decade[mantissa - 4'096];
}

Mdb mdbm_of(Power power) { return power == 0 ? -160'000 : decade_mdb(power) - 160'000; }

std::int32_t normal_q10(std::uint32_t chance16) { return table.normal[(chance16 & 0xFFFF) >> 4]; }
std::int32_t exponential_q10(std::uint32_t chance16) { return table.exponential[(chance16 & 0xFFFF) >> 4]; }
std::int32_t blend_gain_q10(std::uint32_t step64, std::int32_t correlation_milli) {
    return (correlation_milli == 0 ? table.blend
                                   : table.blend_correlated)[std::min<std::uint32_t>(step64, 64)];
}

std::uint64_t bit_loss_q32(Mdb eb_n0) {
    const Mdb clamped = std::clamp(eb_n0, eb_n0_min, eb_n0_max);
    return table.loss[static_cast<std::size_t>((clamped - eb_n0_min) / eb_n0_step)];
}

std::uint32_t success_q16(std::uint64_t loss_q32) {
    const std::uint64_t step = loss_q32 >> 24;
    return step >= success_count ? 0 : table.success[step];
}

}  // namespace wattmesh::sim
