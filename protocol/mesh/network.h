#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/mesh/frame.h"

/// Bodies of the radio frames. Source: mesh design 2.1 to 2.5. Big endian.
namespace wattmesh::mesh {

/// Cost of the way up: expected transmissions x 128; 0 at the root.
inline constexpr std::uint16_t rank_per_transmission = 128, rank_infinite = 0xFFFF;
/// Four transmissions a hop over fifteen hops: whoever needs more goes in circles.
inline constexpr std::uint16_t rank_max = 60 * rank_per_transmission;

struct Beacon {
    DeviceNumber concentrator;
    std::uint16_t version = 0;  ///< the root counts up to make every node report again
    std::uint16_t rank = 0;
    std::uint8_t hops = 0;
    std::uint8_t load = 0;  ///< frames queued
    /// Half seconds over which joiners spread their requests: how long the root needs for all that
    /// are still to come. Relays pass it on, less the time since they heard it.
    std::uint8_t join_window_half_s = 0;
    friend bool operator==(const Beacon&, const Beacon&) = default;
};
/// From a node that hears no beacon.
struct Solicit {
    std::uint8_t attempt = 0;  ///< from the second one on, answers are not suppressed
    friend bool operator==(const Solicit&, const Solicit&) = default;
};

/// What a node knows of one neighbour.
struct LinkEntry {
    std::uint16_t neighbour = 0;
    std::int8_t rssi_dbm = 0;  ///< of the neighbour, as heard here
    std::uint8_t etx_q4 = 0;   ///< from here to the neighbour, x 16, saturated; 0: never tried
    friend bool operator==(const LinkEntry&, const LinkEntry&) = default;
};

/// Network header, both directions: 9 octets.
struct NetworkHeader {
    std::uint8_t attempt = 0;   ///< 0 to 7: which try of the same request; an answer repeats it
    std::uint8_t priority = 3;  ///< 0 to 4
    bool detoured = false;
    std::uint16_t destination = 0, source = 0, sequence = 0;
    std::uint8_t time_to_live = 20;
    friend bool operator==(const NetworkHeader&, const NetworkHeader&) = default;
};
/// Source-routed: data_down, join_accept, leave.
struct DownPacket {
    NetworkHeader header;
    std::uint8_t index = 0;             ///< relays passed
    std::vector<std::uint16_t> relays;  ///< <= relays_max, root side first, target not in it
    Buffer body;
    friend bool operator==(const DownPacket&, const DownPacket&) = default;
};
Buffer encode(const DownPacket& packet);
Result<DownPacket> decode_down(Bytes body);

/// Along the gradient: data_up, join_request (forwarded), link_report, route_error.
struct UpPacket {
    NetworkHeader header;
    std::uint16_t rank = 0;  ///< of whoever sends this hop: a receiver that is not nearer refuses
    Buffer body;
    friend bool operator==(const UpPacket&, const UpPacket&) = default;
};
Buffer encode(const UpPacket& packet);
Result<UpPacket> decode_up(Bytes body);
inline constexpr std::size_t network_overhead = 9, up_overhead = network_overhead + 2;

/// Body of data_up.
inline constexpr std::size_t answer_links_max = 8, link_entry_size = 4;
struct Answer {
    /// The request was not executed: its sequence is not above this one, the highest that was.
    std::optional<std::uint16_t> floor{};
    std::vector<LinkEntry> links;  ///< <= answer_links_max, the parent first
    Buffer payload;
    friend bool operator==(const Answer&, const Answer&) = default;
};
struct LinkReport {
    bool reattached = false;              ///< the node restarted or changed all its parents
    bool needs_key = false;               ///< its frame counter comes to an end
    std::optional<DeviceNumber> rival{};  ///< another concentrator's network in our PAN
    /// After a restart: no request is executed whose sequence is not above.
    std::optional<std::uint16_t> floor{};
    std::uint16_t version = 0;     ///< of the last beacon
    std::vector<LinkEntry> links;  ///< <= 24, the parent first
    friend bool operator==(const LinkReport&, const LinkReport&) = default;
};
struct RouteError {
    std::uint16_t target = 0, sequence = 0;  ///< of the packet that could not go on
    std::uint8_t attempt = 0;
    std::uint16_t failed_hop = 0;  ///< the neighbour of the reporter that does not answer
    friend bool operator==(const RouteError&, const RouteError&) = default;
};

struct HeardNeighbour {
    std::uint16_t address = 0;
    std::int8_t rssi_dbm = 0;
    friend bool operator==(const HeardNeighbour&, const HeardNeighbour&) = default;
};
using JoinMac = std::array<std::uint8_t, 8>;
struct JoinRequest {
    DeviceNumber meter;
    std::uint32_t counter = 0;  ///< above every one used before with this join key
    std::array<std::uint8_t, 4> nonce{};
    std::uint8_t capabilities = 0;
    std::vector<HeardNeighbour> neighbours;  ///< <= 4
    JoinMac mac{};
    friend bool operator==(const JoinRequest&, const JoinRequest&) = default;
};
/// What a proxy passes up: the request as it came, and where the answer goes.
struct ForwardedJoin {
    std::uint16_t temporary_address = 0;
    std::int8_t rssi_dbm = 0;
    Buffer request;
    friend bool operator==(const ForwardedJoin&, const ForwardedJoin&) = default;
};
struct JoinAccept {
    DeviceNumber meter;
    std::uint16_t short_address = 0, version = 0, lease_min = 1440;
    std::array<std::uint8_t, 4> root_nonce{};
    std::vector<std::uint16_t> parents;  ///< <= 4, best first
    std::uint16_t key_number = 1;
    std::array<std::uint8_t, 24> wrapped_net_key{};
    JoinMac mac{};
    friend bool operator==(const JoinAccept&, const JoinAccept&) = default;
};
/// Body of key_update: the net key after the one in use. It is used when the root uses it, not before.
struct KeyUpdate {
    DeviceNumber meter;
    std::uint16_t key_number = 0;
    std::uint16_t overlap_s = 600;  ///< so long the one before is heard after the change
    std::array<std::uint8_t, 24> wrapped_net_key{};
    JoinMac mac{};
    friend bool operator==(const KeyUpdate&, const KeyUpdate&) = default;
};

Buffer encode(const Beacon& beacon);
Buffer encode(const Solicit& solicit);
Buffer encode(const Answer& answer);
Buffer encode(const LinkReport& report);
Buffer encode(const RouteError& error);
Buffer encode(const JoinRequest& request);
Buffer encode(const ForwardedJoin& join);
Buffer encode(const JoinAccept& accept);
Buffer encode(const KeyUpdate& update);
Result<Beacon> decode_beacon(Bytes body);
Result<Solicit> decode_solicit(Bytes body);
Result<Answer> decode_answer(Bytes body);
Result<LinkReport> decode_link_report(Bytes body);
Result<RouteError> decode_route_error(Bytes body);
Result<JoinRequest> decode_join_request(Bytes body);
Result<ForwardedJoin> decode_forwarded_join(Bytes body);
Result<JoinAccept> decode_join_accept(Bytes body);
Result<KeyUpdate> decode_key_update(Bytes body);

}  // namespace wattmesh::mesh
