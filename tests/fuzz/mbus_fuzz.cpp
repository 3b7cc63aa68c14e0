#include <cassert>

#include "protocol/link/mbus.h"

/// A stream cut anywhere gives the same frames, each encodes back to octets that decode to it, and a receiver
/// keeps its bounds. Octet 0: where to cut; the time between pieces comes from their last octets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    if (size == 0) return 0;
    const Bytes stream{data + 1, size - 1};
    const std::size_t cut = data[0] % size;
    link::MbusDecoder whole, parts;
    std::vector<link::MbusFrame> frames, pieces;
    whole.feed(stream);
    while (auto frame = whole.next()) frames.push_back(std::move(*frame));
    parts.feed(stream.first(cut));
    while (auto frame = parts.next()) pieces.push_back(std::move(*frame));
    parts.feed(stream.subspan(cut));
    while (auto frame = parts.next()) pieces.push_back(std::move(*frame));
    assert(frames == pieces);
    for (const auto& frame : frames) assert(*link::decode_mbus(link::encode_mbus(frame)) == frame);

    link::MbusPushReceiver line{{.apdu_size_max = 600, .waiting_max = 4}};
    Instant now{};
    for (std::size_t at = 0; at < stream.size(); at += 1 + data[0]) {
        const Bytes octets = stream.subspan(at, std::min<std::size_t>(1U + data[0], stream.size() - at));
        line.feed(octets, now += std::chrono::milliseconds{octets.back() * 8});
        if (data[0] % 2 == 0)
            while (const auto push = line.take()) assert(push->apdu.size() <= 600);
    }
    int left = 0;
    while (line.take()) ++left;
    assert(left <= 4);
    return 0;
}
