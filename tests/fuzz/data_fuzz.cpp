#include <cassert>

#include "protocol/dlms/data.h"
#include "protocol/dlms/date_time.h"

/// A value that decodes encodes to octets that mean the same; a date-time keeps its instant.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const Bytes bytes{data, size};
    if (const auto value = dlms::decode_data(bytes)) {
        const Buffer encoded = dlms::encode_data(*value);
        const auto again = dlms::decode_data(encoded);
        assert(again && dlms::encode_data(*again) == encoded);  // by octets: NaN is not equal to itself
        value->integer();
    }
    if (const auto at = dlms::decode_date_time(bytes)) {
        const auto again = dlms::decode_date_time(dlms::encode_date_time(*at));
        assert(again == at);
    }
    return 0;
}
