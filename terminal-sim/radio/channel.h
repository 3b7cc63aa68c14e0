#pragma once
#include <cstdint>

#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"
#include "terminal-sim/radio/decibel.h"
#include "terminal-sim/radio/layout.h"

namespace wattmesh::sim {

/// The air of mesh design 3, restated in README.md: every value is a pure function of (seed, stream, link,
/// time step), so that looking changes nothing. Nodes are numbered: meters of the layout first, then
/// concentrators.
class Channel {
public:
    Channel(const Layout& layout, std::uint64_t seed, mesh::PhyRate rate);

    std::size_t size() const { return count_; }
    const Place& place(std::size_t node) const;
    /// Strength of `from` at `to` without anything that changes with time.
    Mdb mean_mdbm(std::size_t from, std::size_t to) const { return mean_[from * count_ + to]; }
    /// Strength now: slow and fast fading and blockage included.
    Mdb now_mdbm(std::size_t from, std::size_t to, Instant now) const;
    /// As now_mdbm without fast fading: what an oracle may count on.
    Mdb slow_mdbm(std::size_t from, std::size_t to, Instant now) const;
    /// Thermal noise of this receiver, evening included.
    Mdb noise_mdbm(std::size_t node, Instant now) const;
    /// 10 log10(B/R).
    Mdb processing_gain() const { return gain_; }
    /// Chance x 65 536 that a PSDU of this size comes through at this SINR without change.
    std::uint32_t success(Mdb sinr, std::size_t psdu_size) const;

    /// A foreign burst, if one begins in this second of the field's life: on our channel, somewhere in the
    /// field.
    struct Burst {
        bool present = false;
        Instant begin{};
        std::int32_t x_cm = 0, y_cm = 0;
    };
    Burst burst(std::int64_t second) const;
    static constexpr Duration burst_length{20'000};
    static constexpr std::int32_t burst_radius_cm = 15'000;
    static constexpr Mdb burst_mdbm = -90'000;
    static constexpr int channels = 8;

private:
    std::uint64_t pair(std::size_t a, std::size_t b) const;
    Mdb path_loss(std::size_t a, std::size_t b) const;
    Mdb shadow(std::size_t a, std::size_t b) const;
    Mdb slow(std::uint64_t pair, Instant now) const;
    Mdb fast(std::uint64_t pair, Instant now) const;
    Mdb blockage(std::uint64_t pair, Instant now) const;

    Layout layout_;
    std::uint64_t seed_;
    std::size_t count_;
    Mdb gain_;
    std::int32_t x_min_ = 0, x_max_ = 0, y_min_ = 0, y_max_ = 0;
    std::vector<Mdb> mean_, noise_;
};

}  // namespace wattmesh::sim
