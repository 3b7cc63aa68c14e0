#pragma once
#include <cstdint>

#include "terminal-sim/radio/layout.h"

/// Layouts that no random town has.
namespace wattmesh::bench {

sim::Layout town_of(sim::LayoutKind kind, std::size_t meters, std::uint64_t seed,
                    std::int32_t hardness_db = 6);

/// Two suburbs of 150 that hear each other over two relays only, either of which is enough. Meters of the far
/// one: 150 to 299; relays: 300, 301.
sim::Layout bridged_suburbs(std::uint64_t seed);
inline constexpr std::size_t suburb = 150, bridge_first = 300, bridge_last = 301;

/// Two groups of 40, deaf to each other and to the concentrator, around one relay (80).
sim::Layout deaf_groups(std::uint64_t seed);
inline constexpr std::size_t deaf_group = 40, star_relay = 80;

/// 120 meters within 3 m, the concentrator 60 m away.
sim::Layout cabinet(std::uint64_t seed);

/// `meters` one after the other, each hearing only the next; the concentrator at one end.
sim::Layout chain(std::size_t meters, std::uint64_t seed);

/// The same with a stranger's radio 10 m from the concentrator, as the last meter.
sim::Layout with_stranger(sim::Layout layout);

}  // namespace wattmesh::bench
