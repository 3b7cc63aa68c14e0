#include "protocol/mesh/node_state.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh {
namespace {
constexpr std::uint8_t state_version =
    3;  // 1 knew one net key, the first; 1 and 2 neither version nor sequence
}

Buffer encode(const NodeState& state) {
    Writer out;
    out.u8(state_version)
        .u32(state.join_counter)
        .u32(state.counter_limit)
        .u16(state.pan)
        .u16(state.short_address);
    out.u8(state.net_key ? 1 : 0);
    if (state.net_key) out.bytes(state.net_key->reveal());
    out.u16(state.key_number).u8(static_cast<std::uint8_t>(state.other));
    if (state.other != NodeState::Other::none) out.bytes(state.other_key.reveal());
    out.u16(state.version).u8(state.sequence_limit ? 1 : 0);
    if (state.sequence_limit) out.u16(*state.sequence_limit);
    return out.take();
}

Result<NodeState> decode_node_state(Bytes bytes) {
    Reader in{bytes};
    const auto format = in.u8();
    if (format < 1 || format > state_version) in.fail_at(Fault::bad_version, 0);
    NodeState state;
    state.join_counter = in.u32();
    state.counter_limit = in.u32();
    state.pan = in.u16();
    state.short_address = in.u16();
    const auto has_key = in.u8();
    if (has_key > 1) in.fail(Fault::bad_value);
    if (has_key == 1) state.net_key = Key128{in.array<16>()};
    if (format >= 2) {
        state.key_number = in.u16();
        const auto other = in.u8();
        if (other > static_cast<std::uint8_t>(NodeState::Other::previous)) in.fail(Fault::bad_value);
        state.other = static_cast<NodeState::Other>(other);
        if (state.other != NodeState::Other::none) state.other_key = Key128{in.array<16>()};
    }
    if (format >= 3) {
        state.version = in.u16();
        const auto has_limit = in.u8();
        if (has_limit > 1) in.fail(Fault::bad_value);
        if (has_limit == 1) state.sequence_limit = in.u16();
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return state;
}

}  // namespace wattmesh::mesh
