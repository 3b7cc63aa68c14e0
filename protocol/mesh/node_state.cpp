#include "protocol/mesh/node_state.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::mesh {

Buffer encode(const NodeState& state) {
    Writer out;
    out.u8(1).u32(state.join_counter).u32(state.counter_limit).u16(state.pan).u16(state.short_address);
    out.u8(state.net_key ? 1 : 0);
    if (state.net_key) out.bytes(state.net_key->reveal());
    return out.take();
}

Result<NodeState> decode_node_state(Bytes bytes) {
    Reader in{bytes};
    in.expect(1, Fault::bad_version);
    NodeState state;
    state.join_counter = in.u32();
    state.counter_limit = in.u32();
    state.pan = in.u16();
    state.short_address = in.u16();
    const auto has_key = in.u8();
    if (has_key > 1) in.fail(Fault::bad_value);
    if (has_key == 1) state.net_key = Key128{in.array<16>()};
    in.expect_end();
    if (in.error()) return *in.error();
    return state;
}

}  // namespace wattmesh::mesh
