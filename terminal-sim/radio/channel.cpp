#include "terminal-sim/radio/channel.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t {
    cluster_shadow = 11,
    link_shadow,
    slow_fading,
    fast_fading,
    blocked,
    burst_stream
};

struct Scenario {
    std::int32_t exponent_q10, exponent_far_q10;  // n and n2 x 1024
    std::int32_t breakpoint_cm;                   // 0: none
    std::int32_t alpha_mdb_per_m;
    std::int32_t cluster_sigma_mdb, link_sigma_mdb;
};
constexpr Scenario urban{4'096, 4'096, 0, 60, 5'400, 5'000}, suburban{3'891, 3'891, 0, 30, 4'500, 4'000},
    rural{3'277, 4'096, 15'000, 0, 4'500, 4'000}, sparse_rural{3'277, 4'096, 15'000, 10, 4'500, 4'000},
    high_rise{3'072, 3'072, 0, 0, 4'500, 3'000};
const Scenario& scenario(LayoutKind kind) {
    switch (kind) {
        case LayoutKind::urban:
            return urban;
        case LayoutKind::suburban:
            return suburban;
        case LayoutKind::rural:
            return rural;
        case LayoutKind::sparse_rural:
            return sparse_rural;
        case LayoutKind::high_rise:
            return high_rise;
    }
    return urban;
}

constexpr Mdb reference_loss_mdb = 45'900;  // free space at d0 = 10 m, 470 MHz
constexpr std::int32_t reference_cm = 1'000, storey_cm = 300;
constexpr std::int32_t same_cluster_sigma_mdb = 2'000, same_cluster_loss_mdb = 2'000;
constexpr Mdb slow_sigma_mdb = 3'000;
constexpr std::int64_t slow_step_us = 900'000'000, fast_step_us = 1'000'000,
                       blockage_window_us = 43'200'000'000;
constexpr std::int64_t blockage_mean_us = 1'200'000'000;
constexpr Mdb blockage_mdb = 10'000;
constexpr std::uint64_t thousand = 1'000;
/// Deviates end at 3.7 sigmas, blended ones at 5.2: (0.894 + 1.65)^2 + 1.65^2 is 9.6 dB.
constexpr Mdb fast_max_mdb = 10'000;
/// Chance x 2^32 of 0, up to 1, up to 2 bursts in a second (Poisson, mean 0.2); three at most.
constexpr std::array<std::uint64_t, 3> burst_at_most{3'516'421'809, 4'219'706'170, 4'290'034'607};

/// Loss between storeys: 13 dB x count^0.75.
Mdb storeys_mdb(std::size_t count) {
    static const auto table = [] {
        std::array<Mdb, 256> made{};
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = static_cast<Mdb>(std::lround(13'000 * std::pow(static_cast<double>(i), 0.75)));
        return made;
    }();
    return table[std::min(count, table.size() - 1)];
}

std::uint64_t integer_root(std::uint64_t square) {
    std::uint64_t root = 0;
    for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= square) root += bit;
    return root;
}

std::int32_t blended(std::uint64_t from, std::uint64_t to, std::uint32_t f64) {
    // straight line between two deviates, variance kept
    const auto a = normal_q10(static_cast<std::uint32_t>(from)),
               b = normal_q10(static_cast<std::uint32_t>(to));
    const auto f = static_cast<std::int32_t>(f64);
    return (a * (64 - f) + b * f) / 64 * blend_gain_q10(f64) / 1'024;
}

/// Rician, K = 6 dB = 3.98: line of sight sqrt(K/(K+1)) = 0.894, scatter of 1/sqrt(2(K+1)) = 0.317 per axis.
Mdb rician_mdb(std::int32_t scatter_in_phase_q10, std::int32_t scatter_quadrature_q10) {
    const std::int64_t in_phase = 915 + 324 * std::int64_t{scatter_in_phase_q10} / 1'024;
    const std::int64_t quadrature = 324 * std::int64_t{scatter_quadrature_q10} / 1'024;
    const auto power = static_cast<std::uint64_t>(in_phase * in_phase + quadrature * quadrature);
    return decade_mdb(std::max(power, thousand)) - 60'206;  // of 1024^2
}

struct Step {
    std::uint64_t index;
    std::uint32_t f64;
};
Step step_of(Instant now, std::int64_t step_us, std::uint64_t phase) {
    // every link has its own phase: no two links turn a corner at once
    const auto at = static_cast<std::uint64_t>(epoch_us(now)) + phase % static_cast<std::uint64_t>(step_us);
    const auto length = static_cast<std::uint64_t>(step_us);
    return {at / length, static_cast<std::uint32_t>(at % length * 64 / length)};
}

}  // namespace

Channel::Channel(const Layout& layout, std::uint64_t seed, mesh::PhyRate rate, bool still)
    : layout_(layout),
      seed_(seed),
      still_(still),
      count_(layout.meters.size() + layout.concentrators.size()) {
    // B = 100 kHz at 50 kbit/s and above, 25 kHz at 10 kbit/s
    gain_ = rate == mesh::PhyRate::kbit10 ? 3'979 : rate == mesh::PhyRate::kbit50 ? 3'010 : 0;
    const Mdb narrower = rate == mesh::PhyRate::kbit10 ? -6'021 : 0;
    mean_.assign(count_ * count_, -300'000);
    noise_.resize(count_);
    for (std::size_t a = 0; a < count_; ++a) {
        noise_[a] = place(a).noise_mdbm + narrower;
        for (const bool late : {false, true}) noise_power_.push_back(power_of(noise_mdbm(a, late)));
        x_min_ = std::min(x_min_, place(a).x_cm);
        x_max_ = std::max(x_max_, place(a).x_cm);
        y_min_ = std::min(y_min_, place(a).y_cm);
        y_max_ = std::max(y_max_, place(a).y_cm);
        for (std::size_t b = 0; b < a; ++b) {
            const bool together =
                place(a).cluster == place(b).cluster;  // one cabinet: its walls do not count
            const Mdb boxes =
                together ? same_cluster_loss_mdb : place(a).box_loss_mdb + place(b).box_loss_mdb;
            const Mdb loss = path_loss(a, b) + shadow(a, b) + boxes;
            mean_[a * count_ + b] = place(a).tx_power_mdbm - loss;
            mean_[b * count_ + a] = place(b).tx_power_mdbm - loss;
        }
    }
}

const Place& Channel::place(std::size_t node) const {
    return node < layout_.meters.size() ? layout_.meters[node]
                                        : layout_.concentrators[node - layout_.meters.size()];
}

std::uint64_t Channel::pair(std::size_t a, std::size_t b) const {
    return std::min(a, b) << 32 | std::max(a, b);
}

Mdb Channel::path_loss(std::size_t a, std::size_t b) const {
    const auto& model = scenario(layout_.request.kind);
    const std::int64_t dx = place(a).x_cm - place(b).x_cm, dy = place(a).y_cm - place(b).y_cm,
                       dz = place(a).z_cm - place(b).z_cm;
    const auto distance =
        std::max<std::uint64_t>(integer_root(static_cast<std::uint64_t>(dx * dx + dy * dy + dz * dz)), 100);
    const auto decades = [](std::uint64_t to, std::uint64_t from) {
        return decade_mdb(to) - decade_mdb(from);
    };
    const auto slope = [](std::int32_t exponent_q10, Mdb tenfold) {
        return static_cast<Mdb>(std::int64_t{exponent_q10} * tenfold / 1'024);
    };
    Mdb loss = reference_loss_mdb +
               static_cast<Mdb>(distance / 100 * static_cast<std::uint64_t>(model.alpha_mdb_per_m));
    if (layout_.request.kind == LayoutKind::high_rise)
        loss += storeys_mdb(static_cast<std::size_t>(std::abs(dz) / storey_cm));
    const auto bend = static_cast<std::uint64_t>(model.breakpoint_cm);
    if (bend != 0 && distance > bend) {
        loss += slope(model.exponent_q10, decades(bend, reference_cm)) +
                slope(model.exponent_far_q10, decades(distance, bend));
    } else if (distance < reference_cm) {
        loss += slope(2'048, decades(distance, reference_cm));  // free space below d0
    } else {
        loss += slope(model.exponent_q10, decades(distance, reference_cm));
    }
    return loss;
}

Mdb Channel::shadow(std::size_t a, std::size_t b) const {
    const auto& model = scenario(layout_.request.kind);
    const auto deviate = [&](Stream stream, std::uint64_t key, std::int32_t sigma) {
        return sigma * normal_q10(static_cast<std::uint32_t>(keyed(layout_.request.seed, stream, key))) /
               1'024;
    };
    const auto ca = place(a).cluster, cb = place(b).cluster;
    if (ca == cb) return deviate(link_shadow, pair(a, b), same_cluster_sigma_mdb);
    return deviate(cluster_shadow, pair(ca, cb), model.cluster_sigma_mdb) +
           deviate(link_shadow, pair(a, b), model.link_sigma_mdb) + layout_.request.hardness_db * 1'000;
}

Link Channel::link(std::size_t from, std::size_t to) const {
    const auto both = pair(from, to);
    return {.from = static_cast<std::uint32_t>(from),
            .to = static_cast<std::uint32_t>(to),
            .mean = mean_mdbm(from, to),
            .pair = both,
            .slow_key = keyed(seed_, slow_fading, both),
            .fast_key = keyed(seed_, fast_fading, both),
            .may_be_blocked = keyed(seed_, blocked, both) % 10 == 0};
}

/// Ornstein-Uhlenbeck, tau 30 min, in steps of 15: each value is a fading sum over its own and seven earlier
/// deviates, so that any of them can be had without those before.
Mdb Channel::slow(Link& link, Instant now) const {
    // sqrt(1 - e^-1) e^(-j/2) x 1024
    constexpr std::array<std::int32_t, 8> weight{814, 494, 300, 182, 110, 67, 41, 25};
    const Step step = step_of(now, slow_step_us, link.slow_key);
    if (step.index != link.slow_step) {
        link.slow_step = step.index;
        link.slow_before = link.slow_after = 0;
        for (std::uint64_t j = 0; j <= weight.size(); ++j) {
            const auto deviate =
                normal_q10(static_cast<std::uint32_t>(mixed(link.slow_key ^ (step.index + 1 - j))));
            if (j < weight.size()) link.slow_after += weight[j] * deviate;
            if (j > 0) link.slow_before += weight[j - 1] * deviate;
        }
    }
    const auto f = static_cast<std::int32_t>(step.f64);
    const auto between = (link.slow_before / 1'024 * (64 - f) + link.slow_after / 1'024 * f) / 64;
    return slow_sigma_mdb * (between * blend_gain_q10(step.f64, 607) / 1'024) / 1'024;
}

Mdb Channel::fast(const Link& link, int channel, Instant now) const {
    const auto key = mixed(link.fast_key + static_cast<std::uint64_t>(channel));
    const Step step = step_of(now, fast_step_us, key);
    const auto from = mixed(key ^ step.index), to = mixed(key ^ (step.index + 1));
    return rician_mdb(blended(from, to, step.f64), blended(from >> 16, to >> 16, step.f64));
}

Mdb Channel::fast_sample(std::size_t i) {
    static_assert(fast_samples == 32 * 32);
    const auto deviate = [](std::size_t k) {
        return normal_q10(static_cast<std::uint32_t>(k * 2'048 + 1'024));
    };
    return rician_mdb(deviate(i % 32), deviate(i / 32 % 32));
}

Mdb Channel::blockage(std::uint64_t link, Instant now) const {
    const auto at = static_cast<std::uint64_t>(epoch_us(now));
    for (auto window = at / blockage_window_us; window + 1 >= at / blockage_window_us; --window) {
        const auto draw = keyed(seed_, blocked, link, window + 1);
        const auto begin = window * blockage_window_us + (draw >> 16) % blockage_window_us;
        const auto length = static_cast<std::uint64_t>(blockage_mean_us / 1'024 *
                                                       exponential_q10(static_cast<std::uint32_t>(draw)));
        if (at >= begin && at < begin + length) return blockage_mdb;
        if (window == 0) break;  // one that began before midnight may still last
    }
    return 0;
}

Mdb Channel::slow_mdbm(std::size_t from, std::size_t to, Instant now) const {
    Link looked = link(from, to);
    return slow_mdbm(looked, now);
}

Mdb Channel::slow_mdbm(Link& link, Instant now) const {
    if (still_) return link.mean;
    return link.mean + slow(link, now) - (link.may_be_blocked ? blockage(link.pair, now) : 0);
}

Mdb Channel::now_mdbm(std::size_t from, std::size_t to, int channel, Instant now) const {
    Link looked = link(from, to);
    return *now_mdbm(looked, channel, now, std::numeric_limits<Mdb>::min());
}

std::optional<Mdb> Channel::now_mdbm(Link& link, int channel, Instant now, Mdb floor) const {
    if (still_) return link.mean < floor ? std::nullopt : std::optional{link.mean};
    Mdb level = link.mean + slow(link, now);
    if (level + fast_max_mdb < floor) return std::nullopt;
    if (link.may_be_blocked) level -= blockage(link.pair, now);
    level += fast(link, channel, now);
    if (level < floor) return std::nullopt;
    return level;
}

bool Channel::evening(Instant now) {
    const auto hour = epoch_us(now) / 3'600'000'000 % 24;
    return hour >= 18 && hour < 22;
}

std::vector<Channel::Burst> Channel::bursts(std::int64_t second) const {
    const auto draw = keyed(seed_, burst_stream, static_cast<std::uint64_t>(second));
    const auto count =
        static_cast<std::uint64_t>(std::count_if(burst_at_most.begin(), burst_at_most.end(),
                                                 [&](auto limit) { return (draw & 0xFFFF'FFFF) >= limit; }));
    std::vector<Burst> found;
    if (still_) return found;
    const auto span = [](std::int64_t low, std::int64_t high) {
        return static_cast<std::uint64_t>(high - low + 1);
    };
    for (std::uint64_t i = 1; i <= count; ++i) {
        const auto when = mixed(draw + 2 * i), where = mixed(draw + 2 * i + 1);
        found.push_back(
            {.begin = from_epoch_us(second * 1'000'000 + static_cast<std::int64_t>((when >> 8) % 1'000'000)),
             .channel = static_cast<int>(when % channels),
             .x_cm = x_min_ + static_cast<std::int32_t>((where & 0xFFFFFFFF) % span(x_min_, x_max_)),
             .y_cm = y_min_ + static_cast<std::int32_t>((where >> 32) % span(y_min_, y_max_))});
    }
    return found;
}

}  // namespace wattmesh::sim
