#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "protocol/mesh/host_frame.h"
#include "protocol/mesh/host_stream.h"

using namespace wattmesh;
using namespace wattmesh::mesh;

/// The radio module's line: the same octets in one piece and octet by octet give the same payloads; a message
/// that is accepted is written back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{data, size};
    host::StreamDecoder whole, pieces;
    std::vector<Buffer> from_whole, from_pieces;
    whole.feed(bytes);
    while (auto payload = whole.next()) from_whole.push_back(*payload);
    for (std::size_t i = 0; i < size; ++i) {
        pieces.feed(bytes.subspan(i, 1));
        while (auto payload = pieces.next()) from_pieces.push_back(*payload);
    }
    if (from_whole != from_pieces) std::abort();
    from_whole.push_back(to_buffer(bytes));
    if (!bytes.empty() && size <= host::payload_size_max) {
        host::StreamDecoder framed;
        framed.feed(host::frame_stream(bytes));
        if (framed.next() != to_buffer(bytes)) std::abort();
    }
    for (const auto& payload : from_whole) {
        const auto message = host::decode(payload);
        if (message && host::encode(message.value()) != payload) std::abort();
    }
    return 0;
}
