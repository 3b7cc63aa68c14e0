#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace wattmesh::mesh {

/// What a meter keeps over a power cut. The owner stores it whenever Node::state_dirty(), before the radio is
/// used again.
struct NodeState {
    std::uint32_t join_counter = 0;   ///< last one used; the next join uses a higher one
    std::uint32_t counter_limit = 1;  ///< frame counters below this may have been used: a restart begins here
    std::uint16_t pan = 0;
    std::uint16_t short_address = 0;
    std::optional<Key128> net_key;  ///< nothing: not joined
    std::uint16_t key_number = 1;
    /// A second key that is known, its number is one off: the next one, or for a while the one before.
    enum class Other : std::uint8_t { none = 0, next = 1, previous = 2 };
    Other other = Other::none;
    Key128 other_key;
    /// Requests up to this sequence may have been executed: none of them is after a restart.
    std::optional<std::uint16_t> sequence_limit;
    std::uint16_t version = 0;  ///< of the newest beacon of this network: only a newer one may move us
};
/// How far ahead `counter_limit` is written: one flash write per so many frames.
inline constexpr std::uint32_t counter_block = 1'024;
/// And `sequence_limit`: one write per so many requests.
inline constexpr std::uint16_t sequence_block = 64;

/// Secret: the net key is inside.
Buffer encode(const NodeState& state);
Result<NodeState> decode_node_state(Bytes bytes);

}  // namespace wattmesh::mesh
