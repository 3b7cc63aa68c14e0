#include <catch2/catch.hpp>

#include "protocol/collector/message.h"

namespace wattmesh::collector {
namespace {

Buffer hex(std::string_view digits) { return *from_hex(digits); }
DeviceNumber number(const char* digits) { return *DeviceNumber::parse(digits); }

struct Vector {
    const char* what;
    Buffer octets;
    Message message;
};
/// Written down by hand from the table in protocol/collector/README.md.
std::vector<Vector> vectors() {
    return {
        {"table request", hex("C1 01"), TableRequest{1}},
        {"table page, empty", hex("D1 1234 00 00 00"), TablePage{0x1234, 0, 0, {}}},
        {"table page", hex("D1 0007 02 05 02 01 540000000001 000A 04 540000000123 FFFF"),
         TablePage{
             7, 2, 5, {{1, number("540000000001"), 10}, {4, number("540000000123"), TablePage::unheard}}}},
        {"group request", hex("C2 02 01 0001 03 02C811 40 0123 00"),
         GroupRequest{{{1, 0x0001, hex("02C811")}, {64, 0x0123, {}}}}},
        {"group answer", hex("D2 0007 02 01 00 02 02CC 40 01 00"),
         GroupAnswer{7, {{1, ItemStatus::answered, hex("02CC")}, {64, ItemStatus::waiting, {}}}}},
        {"notice", hex("D3 0007"), Notice{7}},
    };
}

}  // namespace

TEST_CASE("collector message: octets are those of the table in the README", "[collector]") {
    for (const auto& row : vectors()) {
        INFO(row.what);
        CHECK(encode(row.message) == row.octets);
        const auto decoded = decode(row.octets);
        REQUIRE(decoded);
        CHECK(*decoded == row.message);
    }
}

TEST_CASE("collector message: every prefix and every octet too many is refused", "[collector]") {
    for (const auto& row : vectors()) {
        INFO(row.what);
        for (std::size_t size = 0; size < row.octets.size(); ++size) {
            const auto decoded = decode(Bytes{row.octets}.first(size));
            REQUIRE_FALSE(decoded);
            CHECK(decoded.error().fault == Fault::truncated);
        }
        Buffer longer = row.octets;
        longer.push_back(0);
        const auto decoded = decode(longer);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().fault == Fault::trailing);
    }
}

TEST_CASE("collector message: what cannot be meant is refused, and where is told", "[collector]") {
    struct Row {
        const char* why;
        const char* octets;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"a meter's SAP is no message", "02C811", {Fault::bad_tag, 0}},
        {"sub-address 0", "C1 00", {Fault::bad_value, 2}},
        {"sub-address 65", "C1 41", {Fault::bad_value, 2}},
        {"no item", "C2 00", {Fault::bad_value, 2}},
        {"seventeen items", "C2 11", {Fault::too_long, 2}},
        {"the same sub-address twice", "C2 02 01 0001 00 01 0001 00", {Fault::bad_value, 7}},
        {"an APDU beyond what a meter takes", "C2 01 01 0001 CA", {Fault::too_long, 6}},
        {"twenty-one rows", "D1 0007 00 00 15", {Fault::too_long, 6}},
        {"a row beyond the next page", "D1 0007 00 01 01 01 540000000001 0000", {Fault::bad_value, 15}},
        {"rows out of order",
         "D1 0007 00 00 02 02 540000000001 0000 01 540000000002 0000",
         {Fault::bad_value, 24}},
        {"a number that is no number", "D1 0007 00 00 01 01 54000000000A 0000", {Fault::bad_value, 13}},
        {"an answer that says nothing", "D2 0007 01 01 00 00", {Fault::bad_value, 7}},
        {"a silent meter that says something", "D2 0007 01 01 02 01 02", {Fault::bad_value, 8}},
        {"an unknown status", "D2 0007 01 01 06 00", {Fault::bad_value, 6}},
    }));
    INFO(row.why);
    const auto decoded = decode(hex(row.octets));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error() == row.error);
}

}  // namespace wattmesh::collector
