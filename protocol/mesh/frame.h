#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"

/// Radio frames. Source: mesh design 2.1 and 2.2. A PSDU is MAC header, body, MIC, FCS; big endian. The
/// type's low half stands in the first octet, its high half in the upper half of the flags, which was always
/// zero: types up to 15 look as ever, and whoever knows no others refuses those above.
namespace wattmesh::mesh {

enum class PhyRate : std::uint8_t { kbit10 = 1, kbit50 = 5, kbit100 = 10 };
/// 2-FSK: a symbol is a bit.
constexpr std::int64_t bits_per_second(PhyRate rate) { return static_cast<std::int64_t>(rate) * 10'000; }

inline constexpr std::uint16_t no_pan = 0xFFFF;  ///< of a node that has not joined
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
    last_gasp = 10,      ///< broadcast by nodes without power
    dark_known = 11,     ///< broadcast by the root: whom it knows to be without power
    outage_report = 12,  ///< up, of the living neighbours of the dark
    key_update = 13,     ///< down, the next net key for one node; answered like a probe
    notice = 14,         ///< up, of a node's application, unasked
    acknowledge = 15,
    image_block = 16,    ///< broadcast by the root and passed on by relays: one block of a firmware image
    image_request = 17,  ///< down, of a firmware image: the offer or a block; answered like a probe
};
inline constexpr std::size_t frame_types = 18;  ///< one above the highest
/// Of everything but an acknowledgement.
constexpr bool is_frame_type(unsigned type) {
    return type >= 1 && type < frame_types && type != static_cast<unsigned>(FrameType::acknowledge);
}

/// On the air a net key goes by one bit of its number, as 1 or 2, so that two in a row are told apart.
constexpr std::uint8_t key_id(std::uint16_t number) { return static_cast<std::uint8_t>(2 - number % 2); }

struct MacFrame {
    FrameType type{};
    bool acknowledge_request = false;
    bool secured = false;
    std::uint8_t sequence = 0;
    std::uint16_t pan = 0;
    std::uint16_t destination = 0, source = 0;
    std::uint8_t key = 0;       ///< id of the net key, 1 or 2 in turn; 0 when not secured
    std::uint32_t counter = 0;  ///< per sender, never repeated under one net key; 0 when not secured
    Bytes body;                 ///< borrowed from the PSDU or from the sender
};
using Mic = std::array<std::uint8_t, 4>;
/// Header and body, what the MIC covers.
Buffer encode_covered(const MacFrame& frame);
/// Adds MIC and FCS.
Buffer finish(Buffer covered, const Mic& mic);
struct ReceivedFrame {
    MacFrame frame;
    Bytes covered;  ///< the part of the PSDU under the MIC
    Mic mic{};
};
/// `psdu` must outlive the result.
Result<ReceivedFrame> decode_mac(Bytes psdu);
/// Without looking at anything else; nothing when it is too short to be a frame.
std::optional<std::uint16_t> destination_of(Bytes psdu);

/// What became of a frame that was to be sent.
enum class TxOutcome : std::uint8_t {
    acknowledged = 0,  ///< or, for a broadcast, sent
    no_acknowledge = 1,
    channel_busy = 2,
    refused = 3,  ///< the receiver answered `loop`
    queue_full = 4,
    not_initialised = 5,
};

/// How the receiver took a frame.
enum class Acceptance : std::uint8_t { taken = 0, busy = 1, loop = 2 };
/// Carries no address: its MIC covers what it acknowledges (AckFrame::covers), so it cannot be taken for
/// another one.
struct AckFrame {
    std::uint8_t sequence = 0;
    std::int8_t rssi_dbm = 0;  ///< of the acknowledged frame, as heard by whoever acknowledges
    Acceptance acceptance{};
    std::uint8_t hops = 0;  ///< of whoever acknowledges, saturated at 63
    bool secured = false;
    Mic mic{};
};
inline constexpr std::size_t ack_size = 11;
Buffer encode(const AckFrame& ack);
Result<AckFrame> decode_ack(Bytes psdu);
/// What the MIC of an ACK covers: the ACK's first five octets, then MIC, source and counter of the frame.
Buffer ack_covered(const AckFrame& ack, const MacFrame& frame, const Mic& mic);

/// First octet tells an ACK from every other frame.
bool is_ack(Bytes psdu);
/// Of any PSDU, without looking at anything else: below frame_types, 0 when it is none of them.
std::size_t type_index(Bytes psdu);

/// CRC-16/CCITT (X.25): the FCS of frames and of the host stream.
std::uint16_t crc16(Bytes bytes);

/// Time on air, preamble included.
constexpr Duration airtime(std::size_t psdu_size, PhyRate rate) {
    return Duration{static_cast<std::int64_t>(phy_overhead + psdu_size) * 8 * 1'000'000 /
                    bits_per_second(rate)};
}

}  // namespace wattmesh::mesh
