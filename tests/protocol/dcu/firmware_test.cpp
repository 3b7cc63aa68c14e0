#include "protocol/dcu/firmware.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::dcu;

namespace {

Buffer hex(const std::string& digits) { return from_hex(digits).value(); }

}  // namespace

// A-XDR by hand (Green Book ed. 10, 9.5): 02 structure, 06 double-long-unsigned, 09 octet-string, 12
// long-unsigned, 14 long64, 16 enum, 01 array.
TEST_CASE("firmware: a meter's word of an image, octet by octet", "[protocol][dcu]") {
    const ImageTold told{.number = 5,
                         .state = ImageState::refused,
                         .blocks = 20,
                         .missing = 0,
                         .trouble = ImageTrouble::other_model};
    const auto octets = hex("0205060000000516031200141200001605");
    CHECK(encode(told) == octets);
    CHECK(decode_image_told(octets).value() == told);
    for (std::size_t size = 0; size < octets.size(); ++size)
        CHECK_FALSE(decode_image_told(Bytes{octets}.first(size)));
    CHECK(decode_image_told(hex("0205060000000516041200141200001605")).error().fault == Fault::bad_value);
    CHECK(decode_image_told(hex("0205060000000516001200141200151600")).error().fault == Fault::bad_value);
    CHECK(decode_image_told(hex("0205060000000516031200141200001607")).error().fault == Fault::bad_value);
}

TEST_CASE("firmware: an order, octet by octet", "[protocol][dcu]") {
    FirmwareOrder order{.version = 2, .number = 7, .image = {}, .ends = from_epoch_us(0x0102), .meters = {}};
    order.image.fill(0xAB);
    order.meters.push_back(DeviceNumber::parse("540000000001").value());
    std::string digits = "0205060000000206000000070920";
    for (int i = 0; i < 32; ++i) digits += "ab";
    digits +=
        "140000000000000102"
        "0101"
        "0906540000000001";
    CHECK(dlms::encode_data(to_data(order)) == hex(digits));
    const auto data = dlms::decode_data(hex(digits)).value();
    CHECK(firmware_order_from_data(data).value() == order);
    CHECK(firmware_order_from_data(to_data(FirmwareOrder{})).value() == FirmwareOrder{});
    auto short_number = hex(digits);
    short_number.erase(short_number.end() - 1);
    short_number[short_number.size() - 6] = 5;
    CHECK(firmware_order_from_data(dlms::decode_data(short_number).value()).error().fault ==
          Fault::bad_value);
}
