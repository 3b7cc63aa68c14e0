#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mesh/frame.h"
#include "protocol/mesh/network.h"

namespace wattmesh::bench {

/// Sees every frame leave, changes nothing: airtime of control, and packets that went in a circle.
class Watch {
public:
    explicit Watch(mesh::PhyRate rate) : rate_(rate) {}

    void frame(std::size_t station, Bytes psdu, Instant now);
    /// Beacons, solicits, joins, link reports, route errors, leaves, and the acknowledgements of those.
    Duration control() const { return control_; }
    /// Packets that came back to a node which had sent them before, and were sent on by it.
    std::uint64_t loops() const { return loops_; }

    /// Of one frame type since profile() was asked last; ACKs count as `acknowledge`.
    struct Share {
        std::uint64_t frames = 0, repeats = 0;
        Duration airtime{};
    };
    using Profile = std::array<Share, mesh::frame_types>;
    Profile profile() { return std::exchange(profile_, {}); }

private:
    struct Way {
        Instant last{};
        std::set<std::uint16_t> senders, returned;
    };
    void follow(const mesh::MacFrame& frame, Instant now);

    mesh::PhyRate rate_;
    Duration control_{};
    Profile profile_{};
    std::map<std::size_t, std::uint32_t> last_of_;  // by station: sequence and destination of its last frame
    std::uint64_t loops_ = 0;
    std::map<std::size_t, std::uint16_t> address_of_;  // by station, as it last called itself
    std::map<std::uint16_t, bool> control_to_;         // whether the last frame to this address was control
    std::map<std::uint64_t, Way> ways_;
};

/// One line: frames, their repeats, and airtime by type.
std::string describe(const Watch::Profile& profile);

}  // namespace wattmesh::bench
