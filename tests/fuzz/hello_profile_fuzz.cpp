#include <algorithm>
#include <cassert>

#include "protocol/link/hello_profile.h"

/// A profile up to the first zero octet, behind it a stream. A hello that is found stays the same whatever
/// follows it, is never longer than the bound, and its answer neither.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const auto* const split = std::find(data, data + size, std::uint8_t{0});
    const auto parsed = link::parse_hello_profile(
        {reinterpret_cast<const char*>(data), static_cast<std::size_t>(split - data)});
    const auto* profile = std::get_if<link::HelloProfile>(&parsed);
    if (profile == nullptr || split == data + size) return 0;
    Buffer stream{split + 1, data + size};
    const auto found = link::find_hello({profile}, stream);
    if (found.match.verdict != link::HelloMatch::Verdict::yes) return 0;
    assert(found.match.size <= link::HelloPattern::message_size_max && found.match.size <= stream.size());
    assert(found.answer.size() <= link::HelloPattern::message_size_max);
    stream.insert(stream.end(), {0x00, 0xFF});
    const auto again = link::find_hello({profile}, stream);
    assert(again.match.size == found.match.size && again.match.identity == found.match.identity);
    return 0;
}
