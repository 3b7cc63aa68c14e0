#include <cassert>

#include "protocol/link/wrapper.h"

/// What decodes with a right checksum encodes to the same octets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const auto hello = link::decode_hello(Bytes{data, size});
    if (hello && hello->checksum_ok) assert(link::encode_hello(*hello) == Buffer(data, data + size));
    return 0;
}
