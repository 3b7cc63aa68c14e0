#include <cassert>

#include "protocol/link/wrapper.h"

/// A stream cut anywhere gives the same PDUs, and every PDU encodes back to the octets it came from.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    if (size == 0) return 0;
    const Bytes stream{data + 1, size - 1};
    const std::size_t cut = data[0] % size;
    link::WrapperDecoder whole{1'024}, parts{1'024};
    Buffer again;
    whole.feed(stream);
    parts.feed(stream.first(cut));
    std::vector<link::WrapperFrame> frames, pieces;
    while (auto frame = parts.next()) pieces.push_back(std::move(*frame));
    parts.feed(stream.subspan(cut));
    while (auto frame = parts.next()) pieces.push_back(std::move(*frame));
    while (auto frame = whole.next()) {
        const Buffer octets = link::encode_wrapper(*frame);
        again.insert(again.end(), octets.begin(), octets.end());
        frames.push_back(std::move(*frame));
    }
    assert(frames == pieces);
    const auto datagram = link::decode_wrapper_datagram(stream, 1'024);
    if (datagram) assert(frames.size() == 1 && frames.front() == *datagram);
    assert(std::equal(again.begin(), again.end(), stream.begin()));
    return 0;
}
