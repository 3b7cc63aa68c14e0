#include <cassert>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/initiate.h"

namespace {

/// A message that decodes decodes again from its own encoding to the same.
template <class T>
void check(const wattmesh::Result<T>& decoded, wattmesh::Result<T> (*decode)(wattmesh::Bytes)) {
    if (!decoded) return;
    const auto again = decode(encode(*decoded));
    assert(again && *again == *decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh::dlms;
    const wattmesh::Bytes bytes{data, size};
    check(decode_aarq(bytes), decode_aarq);
    check(decode_aare(bytes), decode_aare);
    check(decode_release(bytes), +[](wattmesh::Bytes octets) { return decode_release(octets); });
    const auto tolerated = decode_release(bytes, true);
    assert(tolerated || !decode_release(bytes));
    check(decode_initiate_request(bytes), decode_initiate_request);
    check(decode_initiate_response(bytes), decode_initiate_response);
    check(decode_service_error(bytes), decode_service_error);
    return 0;
}
