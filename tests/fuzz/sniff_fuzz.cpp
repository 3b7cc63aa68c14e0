#include <cassert>
#include <cstdint>

#include "protocol/link/sniff.h"

using namespace wattmesh;

/// A verdict stands whatever follows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes octets{data, size};
    link::Sniffed settled;
    for (std::size_t count = 0; count <= size; ++count) {
        const auto now = link::sniff(octets.first(count));
        assert(settled.verdict == link::Sniffed::Verdict::more || now == settled);
        settled = now;
    }
    assert(size < link::sniff_size_max + 2 || settled.verdict != link::Sniffed::Verdict::more);
    return 0;
}
