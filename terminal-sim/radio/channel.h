#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"
#include "terminal-sim/radio/decibel.h"
#include "terminal-sim/radio/layout.h"

namespace wattmesh::sim {

/// One directed link, with what its fading needs kept from one look to the next. Only Channel fills it.
struct Link {
    std::uint32_t from = 0, to = 0;
    Mdb mean = 0;
    std::uint64_t pair = 0, slow_key = 0, fast_key = 0;
    std::uint64_t slow_step = ~std::uint64_t{0};
    std::int32_t slow_before = 0, slow_after = 0;  // deviates at both ends of the step, x 1024^2
    bool may_be_blocked = false;
};

/// The air of mesh design 3, restated in README.md: every value is a pure function of (seed, stream, link,
/// time step), so that looking changes nothing. Nodes are numbered: meters of the layout first, then
/// concentrators.
class Channel {
public:
    /// `still`: nothing of (a) to (e) happens, the long-run means are what there is.
    Channel(const Layout& layout, std::uint64_t seed, mesh::PhyRate rate, bool still = false);

    std::size_t size() const { return count_; }
    const Place& place(std::size_t node) const;
    /// Strength of `from` at `to` without anything that changes with time.
    Mdb mean_mdbm(std::size_t from, std::size_t to) const { return mean_[from * count_ + to]; }
    /// Strength now on this channel: slow and fast fading and blockage included.
    Mdb now_mdbm(std::size_t from, std::size_t to, int channel, Instant now) const;
    Link link(std::size_t from, std::size_t to) const;
    /// The same, faster; nothing when it is below `floor`.
    std::optional<Mdb> now_mdbm(Link& link, int channel, Instant now, Mdb floor) const;
    /// As now_mdbm without fast fading, which differs from channel to channel: what an oracle may count on.
    Mdb slow_mdbm(std::size_t from, std::size_t to, Instant now) const;
    Mdb slow_mdbm(Link& link, Instant now) const;
    /// Thermal noise of this receiver, evening included.
    Mdb noise_mdbm(std::size_t node, Instant now) const { return noise_mdbm(node, evening(now)); }
    Mdb noise_mdbm(std::size_t node, bool evening) const {
        return noise_[node] + (evening ? evening_mdb : 0);
    }
    Power noise_power(std::size_t node, bool evening) const {
        return noise_power_[2 * node + (evening ? 1 : 0)];
    }
    static bool evening(Instant now);
    bool still() const { return still_; }
    /// 10 log10(B/R).
    Mdb processing_gain() const { return gain_; }

    /// Foreign bursts that begin in this second of the field's life, each on one channel and within
    /// `burst_radius_cm` of one place of the field; Poisson, 0.2 per second.
    struct Burst {
        Instant begin{};
        int channel = 0;
        std::int32_t x_cm = 0, y_cm = 0;
    };
    std::vector<Burst> bursts(std::int64_t second) const;
    static constexpr Duration burst_length{20'000};
    static constexpr std::int32_t burst_radius_cm = 15'000;
    static constexpr Mdb burst_mdbm = -90'000;
    static constexpr int channels = 8;
    /// What is left of a signal in a receiver that listens next door; farther off nothing is.
    static constexpr Mdb adjacent_mdb = -30'000, evening_mdb = 4'000;

    /// One deviate of fast fading, for those who average over it: `i` of fast_samples, all equally likely.
    static Mdb fast_sample(std::size_t i);
    static constexpr std::size_t fast_samples = 1'024;

private:
    std::uint64_t pair(std::size_t a, std::size_t b) const;
    Mdb path_loss(std::size_t a, std::size_t b) const;
    Mdb shadow(std::size_t a, std::size_t b) const;
    Mdb slow(Link& link, Instant now) const;
    Mdb fast(const Link& link, int channel, Instant now) const;
    Mdb blockage(std::uint64_t pair, Instant now) const;

    Layout layout_;
    std::uint64_t seed_;
    bool still_;
    std::size_t count_;
    Mdb gain_;
    std::int32_t x_min_ = 0, x_max_ = 0, y_min_ = 0, y_max_ = 0;
    std::vector<Mdb> mean_, noise_;
    std::vector<Power> noise_power_;  // by day, in the evening
};

}  // namespace wattmesh::sim
