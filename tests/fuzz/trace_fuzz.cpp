// A trace file's records: what is read can be written and read again; blanking a frame keeps its size or
// blanks it all.
#include <cassert>
#include <cstddef>

#include "headend/trace/mask.h"
#include "headend/trace/record.h"

using namespace wattmesh;
using namespace wattmesh::headend::trace;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes octets{data, size};
    const auto decoded = decode_record(octets);
    if (decoded.verdict == Decoded::Verdict::whole) {
        assert(decoded.size <= size);
        assert(decode_record(encode(decoded.record)).record == decoded.record);
    }
    assert(masked(link::Carried::wrapper, octets).size() == size);
    masked(link::Carried::gdw376, octets);
    return 0;
}
