#include "terminal-sim/radio/channel.h"

#include <algorithm>
#include <cassert>

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
constexpr Scenario urban{4'096, 4'096, 0, 60, 5'400, 5'000};
constexpr Scenario rural{3'277, 4'096, 15'000, 0, 4'500, 4'000};
const Scenario& scenario(LayoutKind kind) { return kind == LayoutKind::urban ? urban : rural; }

constexpr Mdb reference_loss_mdb = 45'900;  // free space at d0 = 10 m, 470 MHz
constexpr std::int32_t reference_cm = 1'000;
constexpr std::int32_t same_cluster_sigma_mdb = 2'000, same_cluster_loss_mdb = 2'000;
constexpr Mdb slow_sigma_mdb = 3'000;
constexpr std::int64_t slow_step_us = 1'800'000'000, fast_step_us = 1'000'000,
                       blockage_window_us = 43'200'000'000;
constexpr std::int64_t blockage_mean_us = 1'200'000'000;
constexpr Mdb blockage_mdb = 10'000, evening_mdb = 4'000;

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

Channel::Channel(const Layout& layout, std::uint64_t seed, mesh::PhyRate rate)
    : layout_(layout), seed_(seed), count_(layout.meters.size() + layout.concentrators.size()) {
    // B = 100 kHz at 50 kbit/s and above, 25 kHz at 10 kbit/s
    gain_ = rate == mesh::PhyRate::kbit10 ? 3'979 : rate == mesh::PhyRate::kbit50 ? 3'010 : 0;
    const Mdb narrower = rate == mesh::PhyRate::kbit10 ? -6'021 : 0;
    mean_.assign(count_ * count_, -300'000);
    noise_.resize(count_);
    for (std::size_t a = 0; a < count_; ++a) {
        noise_[a] = place(a).noise_mdbm + narrower;
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
    const std::int64_t dx = place(a).x_cm - place(b).x_cm, dy = place(a).y_cm - place(b).y_cm;
    const auto distance =
        std::max<std::uint64_t>(integer_root(static_cast<std::uint64_t>(dx * dx + dy * dy)), 100);
    const auto decades = [](std::uint64_t to, std::uint64_t from) {
        return decade_mdb(to) - decade_mdb(from);
    };
    const auto slope = [](std::int32_t exponent_q10, Mdb tenfold) {
        return static_cast<Mdb>(std::int64_t{exponent_q10} * tenfold / 1'024);
    };
    Mdb loss = reference_loss_mdb +
               static_cast<Mdb>(distance / 100 * static_cast<std::uint64_t>(model.alpha_mdb_per_m));
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

Mdb Channel::slow(std::uint64_t link, Instant now) const {
    const auto key = keyed(seed_, slow_fading, link);
    const Step step = step_of(now, slow_step_us, key);
    return slow_sigma_mdb * blended(mixed(key ^ step.index), mixed(key ^ (step.index + 1)), step.f64) / 1'024;
}

Mdb Channel::fast(std::uint64_t link, Instant now) const {
    const auto key = keyed(seed_, fast_fading, link);
    const Step step = step_of(now, fast_step_us, key);
    const auto from = mixed(key ^ step.index), to = mixed(key ^ (step.index + 1));
    // Rician, K = 6 dB = 3.98: line of sight sqrt(K/(K+1)) = 0.894, scatter of 1/sqrt(2(K+1)) = 0.317 per
    // axis
    const std::int64_t in_phase = 915 + 324 * std::int64_t{blended(from, to, step.f64)} / 1'024;
    const std::int64_t quadrature = 324 * std::int64_t{blended(from >> 16, to >> 16, step.f64)} / 1'024;
    const auto power = static_cast<std::uint64_t>(in_phase * in_phase + quadrature * quadrature);
    return decade_mdb(std::max<std::uint64_t>(power, 1'000)) - 60'206;  // of 1024^2
}

Mdb Channel::blockage(std::uint64_t link, Instant now) const {
    if (keyed(seed_, blocked, link) % 10 != 0) return 0;
    const auto at = static_cast<std::uint64_t>(epoch_us(now));
    const auto window = at / blockage_window_us;
    const auto draw = keyed(seed_, blocked, link, window + 1);
    const auto begin = window * blockage_window_us + (draw >> 16) % blockage_window_us;
    const auto length = static_cast<std::uint64_t>(blockage_mean_us / 1'024 *
                                                   exponential_q10(static_cast<std::uint32_t>(draw)));
    return at >= begin && at < begin + length ? blockage_mdb : 0;
}

Mdb Channel::slow_mdbm(std::size_t from, std::size_t to, Instant now) const {
    const auto link = pair(from, to);
    return mean_mdbm(from, to) + slow(link, now) - blockage(link, now);
}

Mdb Channel::now_mdbm(std::size_t from, std::size_t to, Instant now) const {
    const auto link = pair(from, to);
    return mean_mdbm(from, to) + slow(link, now) - blockage(link, now) + fast(link, now);
}

Mdb Channel::noise_mdbm(std::size_t node, Instant now) const {
    const auto hour = epoch_us(now) / 3'600'000'000 % 24;
    return noise_[node] + (hour >= 18 && hour < 22 ? evening_mdb : 0);
}

std::uint32_t Channel::success(Mdb sinr, std::size_t psdu_size) const {
    return success_q16(bit_loss_q32(sinr + gain_) * psdu_size * 8);
}

Channel::Burst Channel::burst(std::int64_t second) const {
    // 0.2 per second over all channels: at most one begins in a second
    const auto draw = keyed(seed_, burst_stream, static_cast<std::uint64_t>(second));
    if (draw % 1'000 >= 200 || (draw >> 16) % channels != 0) return {};
    const auto where = mixed(draw);
    const auto span = [](std::int64_t low, std::int64_t high) {
        return static_cast<std::uint64_t>(high - low + 1);
    };
    const auto width = span(x_min_, x_max_), height = span(y_min_, y_max_);
    return {.present = true,
            .begin = from_epoch_us(second * 1'000'000 + static_cast<std::int64_t>((draw >> 24) % 1'000'000)),
            .x_cm = x_min_ + static_cast<std::int32_t>((where & 0xFFFFFFFF) % width),
            .y_cm = y_min_ + static_cast<std::int32_t>((where >> 32) % height)};
}

}  // namespace wattmesh::sim
