#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"

/// Radio frames. Source: mesh design 2.1 and 2.2. A PSDU is MAC header, body, MIC, FCS; big endian.
namespace wattmesh::mesh {

enum class PhyRate : std::uint8_t { kbit10 = 1, kbit50 = 5, kbit100 = 10 };
/// 2-FSK: a symbol is a bit.
constexpr std::int64_t bits_per_second(PhyRate rate) { return static_cast<std::int64_t>(rate) * 10'000; }

inline constexpr std::uint16_t root_address = 0x0000, broadcast_address = 0xFFFF;
inline constexpr std::uint16_t short_address_max = 0x7FFF;  ///< given out by the root: 1 to this
inline constexpr std::uint16_t temporary_address_min =
    0x8000;                                      ///< drawn by a node that has not joined, up to 0xFFEF
inline constexpr std::size_t phy_overhead = 12;  ///< preamble 8, sync 2, length and whitening 2
inline constexpr std::size_t psdu_size_max = 250;
inline constexpr std::size_t mac_overhead = 20;
inline constexpr std::size_t frame_body_size_max = psdu_size_max - mac_overhead;
inline constexpr std::size_t relays_max = 14;  ///< 15 hops

enum class FrameType : std::uint8_t {
    beacon = 1,
    solicit = 2,
    join_request = 3,
    join_accept = 4,
    link_report = 5,
    data_down = 6,
    data_up = 7,
    route_error = 8,
    leave = 9,
    acknowledge = 15,
};

struct MacFrame {
    FrameType type{};
    bool acknowledge_request = false;
    bool secured = false;
    std::uint8_t sequence = 0;
    std::uint16_t pan = 0;
    std::uint16_t destination = 0, source = 0;
    std::uint32_t counter = 0;
    Bytes body;  ///< borrowed from the PSDU or from the sender
};
/// How the receiver took a frame.
enum class Acceptance : std::uint8_t { taken = 0, busy = 1, loop = 2 };
struct AckFrame {
    std::uint8_t sequence = 0;
    std::uint16_t pan = 0;
    std::int8_t rssi_dbm = 0;  ///< of the acknowledged frame, as heard by whoever acknowledges
    Acceptance acceptance{};
    bool secured = false;
};

}  // namespace wattmesh::mesh
