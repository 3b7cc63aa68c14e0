#include <cassert>

#include "protocol/dlms/general_block.h"
#include "protocol/dlms/short_name.h"

using namespace wattmesh;
using namespace wattmesh::dlms;

namespace {

/// Decoded and encoded again, a message is what it was.
template <class Decode>
void round_trip(Bytes bytes, Decode decode) {
    const auto message = decode(bytes);
    if (!message) return;
    const Buffer encoded = encode(*message);
    const auto again = decode(encoded);
    assert(again && encode(*again) == encoded);
}

/// Whatever comes, a transfer keeps to its bounds and never gives out more than one message.
void transfer(Bytes bytes) {
    constexpr BlockTransfer::Config config{
        .window = 4, .block_size = 16, .transfer_size_max = 256, .resends_max = 4};
    BlockTransfer end{config};
    if (!bytes.empty() && (bytes[0] & 1) != 0) end.send(Buffer(100, 0x55));
    BlockCollector collector{256};
    int messages = 0;
    for (std::size_t at = 0; at + 7 <= bytes.size();) {
        const std::size_t size = std::min<std::size_t>(bytes[at + 6] % 24, bytes.size() - at - 7);
        const GeneralBlock block{
            .last = (bytes[at] & 0x80) != 0,
            .streaming = (bytes[at] & 0x40) != 0,
            .window = static_cast<std::uint8_t>(bytes[at] & 0x3F),
            .number = static_cast<std::uint16_t>(bytes[at + 1] << 8 | bytes[at + 2]),
            .acknowledged = static_cast<std::uint16_t>(bytes[at + 3] << 8 | bytes[at + 4]),
            .octets = to_buffer(bytes.subspan(at + 7, size))};
        at += 7 + size;
        if (const auto whole = collector.receive(block)) assert(whole->size() <= 256);
        if (end.receive(block)) return;
        if ((block.window & 7) == 7) end.resume();
        int blocks = 0;
        while (end.take_output()) assert(++blocks <= 64);
        if (const auto message = end.take_message()) assert(message->size() <= 256 && ++messages == 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes{data, size};
    round_trip(bytes, [](Bytes b) { return decode_general_block(b); });
    round_trip(bytes, [](Bytes b) { return decode_read_request(b); });
    round_trip(bytes, [](Bytes b) { return decode_read_response(b); });
    round_trip(bytes, [](Bytes b) { return decode_write_request(b); });
    round_trip(bytes, [](Bytes b) { return decode_write_response(b); });
    transfer(bytes);
    return 0;
}
