#include <catch2/catch.hpp>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/quantity.h"
#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh {

TEST_CASE("obis code: reads every written form", "[base]") {
    struct Row {
        const char* text;
        std::optional<ObisCode> code;
    };
    const auto row = GENERATE(values<Row>({
        {"1-0:1.8.0*255", obis::active_import_total},
        {"1.0.1.8.0.255", obis::active_import_total},
        {"1-0:1.8.0", obis::active_import_total},
        {"1.8.0", obis::active_import_total},
        {"1.8", std::nullopt},
        {"1.8.256", std::nullopt},
        {"1.8.0.", std::nullopt},
        {"", std::nullopt},
        {"1-0:1.8.0*255.3", std::nullopt},
        {"-1.8.0", std::nullopt},
    }));
    DYNAMIC_SECTION(row.text) { CHECK(ObisCode::parse(row.text) == row.code); }
    CHECK(to_string(obis::active_import_total) == "1-0:1.8.0*255");
}

TEST_CASE("device number: twelve digits, packed and titled", "[base]") {
    const auto number = DeviceNumber::parse("540000000341");
    REQUIRE(number);
    CHECK(to_string(*number) == "540000000341");
    CHECK(number->integer() == 540000000341U);
    CHECK(to_hex(system_title(*number).octets) == "574D547DBA821955");
    CHECK_FALSE(DeviceNumber::parse("54000000034"));
    CHECK_FALSE(DeviceNumber::parse("54000000034A"));
}

TEST_CASE("reader: keeps its first fault and then yields zeros", "[base]") {
    const Buffer bytes{0x01, 0x02, 0x03};
    Reader in{bytes, 10};
    CHECK(in.u16() == 0x0102);
    CHECK(in.u16() == 0);
    CHECK(in.error() == Error{Fault::truncated, 13});
    CHECK(in.u8() == 0);
    CHECK(in.remaining() == 0);
    CHECK(in.error() == Error{Fault::truncated, 13});
}

TEST_CASE("writer and reader agree", "[base]") {
    Writer out;
    out.u8(1).i8(-2).u16(0x0304).u24(0x050607).u32(0x08090A0B).u64(0x0C0D0E0F10111213).u16_le(0x1514);
    CHECK(to_hex(out.view()) == "01FE030405060708090A0B0C0D0E0F101112131415");
}

TEST_CASE("hex: round trip and refusals", "[base]") {
    CHECK(to_hex(*from_hex("00 ff A5")) == "00FFA5");
    CHECK_FALSE(from_hex("0"));
    CHECK_FALSE(from_hex("0G"));
}

static_assert(Wh{kWh{2}} == Wh{2000});
static_assert(!std::is_convertible_v<Wh, kWh>, "a conversion that would round must not compile");

}  // namespace wattmesh
