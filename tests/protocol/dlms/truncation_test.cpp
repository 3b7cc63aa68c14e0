#include <catch2/catch.hpp>

#include "protocol/dlms/access.h"
#include "protocol/dlms/acse.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/general_block.h"
#include "protocol/dlms/initiate.h"
#include "protocol/dlms/short_name.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;

namespace {

struct Decoder {
    const char* name;
    bool (*decodes)(Bytes);
};
const Decoder decoders[] = {
    {"data", [](Bytes b) { return decode_data(b).has_value(); }},
    {"initiate request", [](Bytes b) { return decode_initiate_request(b).has_value(); }},
    {"initiate response", [](Bytes b) { return decode_initiate_response(b).has_value(); }},
    {"service error", [](Bytes b) { return decode_service_error(b).has_value(); }},
    {"AARQ", [](Bytes b) { return decode_aarq(b).has_value(); }},
    {"AARE", [](Bytes b) { return decode_aare(b).has_value(); }},
    {"release", [](Bytes b) { return decode_release(b).has_value(); }},
    {"request", [](Bytes b) { return decode_request(b).has_value(); }},
    {"answer", [](Bytes b) { return decode_response(b).has_value(); }},
    {"access request", [](Bytes b) { return decode_access_request(b).has_value(); }},
    {"access response", [](Bytes b) { return decode_access_response(b).has_value(); }},
    {"read request", [](Bytes b) { return decode_read_request(b).has_value(); }},
    {"read response", [](Bytes b) { return decode_read_response(b).has_value(); }},
    {"write request", [](Bytes b) { return decode_write_request(b).has_value(); }},
    {"write response", [](Bytes b) { return decode_write_response(b).has_value(); }},
    {"general block", [](Bytes b) { return decode_general_block(b).has_value(); }},
    {"exception", [](Bytes b) { return decode_exception(b).has_value(); }},
    {"data notification", [](Bytes b) { return decode_data_notification(b).has_value(); }},
    {"event notification", [](Bytes b) { return decode_event_notification(b).has_value(); }},
};

/// A copy that ends where the allocation ends, so that a read beyond is seen by the sanitizer.
bool decodes_prefix(const Decoder& decoder, Bytes whole, std::size_t size) {
    const Buffer prefix{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
    return decoder.decodes(prefix);
}

}  // namespace

TEST_CASE("decoders: no prefix of a message decodes, every decoder survives every prefix", "[dlms]") {
    int decoded_whole = 0;
    for (const auto& [id, bytes] : test::vectors()) {
        for (const Decoder& decoder : decoders) {
            const bool whole = decodes_prefix(decoder, bytes, bytes.size());
            decoded_whole += whole;
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                const bool prefix = decodes_prefix(decoder, bytes, size);
                INFO("vector " << id << ", decoder " << decoder.name << ", " << size << " octets");
                CHECK_FALSE((whole && prefix));
            }
        }
    }
    CHECK(decoded_whole > 40);
}

TEST_CASE("decoders: survive every octet of every message changed", "[dlms]") {
    for (const auto& [id, bytes] : test::vectors()) {
        Buffer changed = bytes;
        for (std::size_t at = 0; at < changed.size(); ++at) {
            for (const int value : {0x00, 0x01, 0x7F, 0x80, 0x84, 0xFF}) {
                changed[at] = static_cast<std::uint8_t>(value);
                for (const Decoder& decoder : decoders) decoder.decodes(changed);
            }
            changed[at] = bytes[at];
        }
    }
    SUCCEED();
}
