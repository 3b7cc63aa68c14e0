#pragma once
#include <cstdint>
#include <variant>

#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/mesh/frame.h"

/// What concentrator and radio module say to each other. The MAC (CSMA, tries, ACK, hop MIC) runs in the
/// module; network frames, results and signal strengths cross. Byte-stream framing: host_stream.h. Source:
/// concentrator/radio/README.md.
namespace wattmesh::mesh::host {

/// Host to module: sets up (or sets up again) the MAC. Frames queued before are dropped. The module counts on
/// from max(counter_start, what it used before).
struct Init {
    DeviceNumber concentrator;
    std::uint16_t pan = 0;
    PhyRate rate = PhyRate::kbit50;
    std::uint16_t channels = 1;  ///< bit i: channel i belongs to the hop set
    Key128 net_key;
    std::uint32_t counter_start = 1;
    std::uint8_t key = 1;  ///< its id on the air, 1 or 2
};
/// Host to module: a second net key beside the one of Init. Status follows.
struct Key {
    enum class Action : std::uint8_t {
        add = 1,     ///< hears frames under it from now on
        use = 2,     ///< and sends under it; nothing happens when it was not added
        forget = 3,  ///< hears none any more; never for the one in use
    };
    Action action{};
    std::uint8_t key = 1;  ///< id
    Key128 net_key;        ///< all of this only with `add`
    std::uint32_t counter_start = 1;
};
/// Host to module: sends one frame; exactly one TxResult with the same handle follows.
struct Tx {
    std::uint16_t handle = 0;
    std::uint16_t destination = 0;  ///< next hop, or broadcast_address
    FrameType type{};
    bool secured = true;  ///< false only for the answer to a node that has no net key yet
    Buffer body;          ///< <= frame_body_size_max
};
/// Host to module: asks for a Status.
struct StatusRequest {};

/// Module to host.
struct TxResult {
    std::uint16_t handle = 0;
    TxOutcome outcome{};
    std::uint8_t tries = 0;
    std::int8_t rssi_dbm = 0;  ///< of our frame at the receiver, as its ACK says; 0 when there was none
};
/// Module to host: a frame for us or for everybody, MIC verified when `secured`.
struct Rx {
    std::int8_t rssi_dbm = 0;
    std::uint16_t source = 0, destination = 0;
    FrameType type{};
    bool secured = false;
    Buffer body;
};
/// Module to host: after Init, on request, and by itself when it starts (initialised = false).
struct Status {
    bool initialised = false;
    std::uint32_t counter_next = 0;  ///< under the key in use
    std::uint32_t frames_sent = 0, frames_received = 0,
                  frames_refused = 0;  ///< refused: bad MIC, replayed or malformed
    std::uint8_t key = 0;              ///< id of the net key in use; 0: none
};

using Message = std::variant<Init, Tx, StatusRequest, Key, TxResult, Rx, Status>;
Buffer encode(const Message& message);
Result<Message> decode(Bytes payload);
inline constexpr std::size_t payload_size_max = 300;

}  // namespace wattmesh::mesh::host
