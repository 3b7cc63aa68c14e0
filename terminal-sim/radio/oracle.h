#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/mesh/frame.h"
#include "terminal-sim/radio/channel.h"

namespace wattmesh::sim {

/// Chance that a frame comes through at a mean SINR, fast fading averaged.
class MeanReception {
public:
    /// `octets` on the air, preamble to FCS; `gain` is Channel::processing_gain().
    MeanReception(std::size_t octets, Mdb gain);
    double chance(Mdb mean_sinr) const;

private:
    std::vector<float> chance_;
};

/// What one application read costs on one hop. Octets on the air, preamble to FCS.
struct ReadSizes {
    std::size_t request = 66, response = 92;
    std::size_t acknowledge = 22;
    std::size_t merged = 250, readings_merged = 4;  ///< the longest frame, and how many readings fit into it
    std::size_t payload = 48;                       ///< of a reading, for the bound of information
    /// Sizes for which a try's chance is taken: the frames' own, but for the reference table (80 both).
    std::size_t request_tested = 66, response_tested = 92;
};
/// Frames of the reference table (README.md): times of 66 and 92 octets, chances of 80.
inline constexpr ReadSizes reference_sizes{.request_tested = 80, .response_tested = 80};

/// The best that could be done on the channel as it truly is; for measuring, never for meters or
/// concentrators. Reading the channel changes nothing.
class Oracle {
public:
    static constexpr int hops_max = 15;
    /// `roots` are the nodes from this number on. `channel` outlives this.
    Oracle(const Channel& channel, std::size_t roots, mesh::PhyRate rate, ReadSizes sizes = {});

    std::size_t root() const { return roots_; }  ///< the first one
    /// Takes the mean chances of every link at this moment, or, without one, as they are in the long run
    /// (noon, no slow fading, nothing blocked).
    void look(std::optional<Instant> at);

    struct Tree {
        std::vector<double> cost_us;  ///< airtime of one read, of the way from the root; negative: no way
        std::vector<std::uint32_t> before;
        std::vector<int> hops;  ///< 0: no way, or a root
        bool reaches(std::size_t node) const { return hops[node] > 0; }
    };
    /// Cheapest ways over usable links among the living: both directions PRR x PRR of the ACK >= 0.25 for 80
    /// octets, at most `hops` hops. An empty `alive`: all.
    Tree tree(const std::vector<bool>& alive = {}, int hops = hops_max) const;

    /// Chance of one acknowledged try of the request from `from` to `to`, of the answer from `to` to `from`.
    struct Hop {
        double down = 0, up = 0;
    };
    Hop hop(std::size_t from, std::size_t to) const;
    bool usable(std::size_t a, std::size_t b) const;
    /// Chance of 80 octets without ACK.
    double prr(std::size_t from, std::size_t to) const;
    /// Airtime of one acknowledged try, both turn-arounds included.
    double request_us() const { return request_us_; }
    double response_us() const { return response_us_; }
    double hop_cost_us(const Hop& hop) const { return request_us_ / hop.down + response_us_ / hop.up; }

    /// Lower bounds of a round, seconds (README.md): one read after the other; everything through the root's
    /// radio; merged; information alone; cold join.
    struct Bounds {
        double sequential_s = 0, push_s = 0, merged_s = 0, information_s = 0, join_s = 0;
    };
    Bounds bounds(const Tree& tree) const;

private:
    struct Edge {
        std::uint32_t to;
        float down, up;  // of Hop, from this end
    };
    Mdb sinr(std::size_t from, std::size_t to) const;

    const Channel& channel_;
    std::size_t roots_;
    mesh::PhyRate rate_;
    ReadSizes sizes_;
    MeanReception request_, response_, tested_, acknowledge_;
    double request_us_, response_us_;
    std::optional<Instant> at_;
    std::vector<Link> candidates_;          // from < to
    std::vector<std::vector<Edge>> edges_;  // usable ones
};

}  // namespace wattmesh::sim
