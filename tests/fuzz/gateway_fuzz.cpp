#include <cassert>

#include "protocol/link/wrapper.h"

/// What decodes encodes to the same octets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const auto frame = link::decode_gateway(Bytes{data, size});
    if (frame) assert(link::encode_gateway(*frame) == Buffer(data, data + size));
    return 0;
}
