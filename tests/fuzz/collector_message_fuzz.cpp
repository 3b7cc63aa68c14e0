#include <cassert>

#include "protocol/collector/attached_table.h"
#include "protocol/collector/message.h"

/// What decodes encodes to the same octets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const Bytes octets{data, size};
    const auto message = collector::decode(octets);
    if (message) assert(collector::encode(*message) == to_buffer(octets));
    (void)collector::decode_attached_table(octets);
    return 0;
}
