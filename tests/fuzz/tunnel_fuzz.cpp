#include <cassert>

#include "protocol/link/tunnel_line.h"

/// What decodes encodes to the same octets; a line cut anywhere gives the same messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    if (size == 0) return 0;
    const Bytes stream{data + 1, size - 1};
    if (const auto message = link::decode_tunnel(stream))
        assert(link::encode_tunnel(*message) == to_buffer(stream));
    const std::size_t cut = data[0] % size;
    link::TunnelLineDecoder whole, parts;
    std::vector<link::TunnelMessage> messages, pieces;
    whole.feed(stream);
    while (auto message = whole.next()) messages.push_back(*std::move(message));
    parts.feed(stream.first(cut));
    while (auto message = parts.next()) pieces.push_back(*std::move(message));
    parts.feed(stream.subspan(cut));
    while (auto message = parts.next()) pieces.push_back(*std::move(message));
    assert(messages == pieces && whole.faults() == parts.faults());
    for (const auto& message : messages) {
        link::TunnelLineDecoder again;
        again.feed(link::encode_tunnel_line(message));
        assert(again.next() == message);
    }
    // Whatever a peer says, an end neither takes nor sends more than it may.
    link::TunnelEnd end{1};
    end.push(Buffer(100'000));
    for (const auto& message : messages) {
        if (const auto* credit = std::get_if<link::TunnelCredit>(&message)) end.allow(credit->limit);
        if (const auto* part = std::get_if<link::TunnelData>(&message);
            part != nullptr && end.received(*part))
            (void)end.passed_on(part->octets.size());
        while (end.take_data()) {
        }
        assert(end.octets_received() <= end.limit());
    }
    return 0;
}
