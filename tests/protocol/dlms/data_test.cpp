#include "protocol/dlms/data.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::octets;

namespace {

Data profile_row(bool with_clock) {
    const Data clock = with_clock ? octet_string(octets("07E30C1F0217000000FFC400")) : Data{Null{}};
    return structure({clock, std::uint8_t{6}, std::uint32_t{1517}, std::uint32_t{1620}});
}

}  // namespace

// Tags: Blue Book ed. 14, 4.1.5; the octets are written down by hand from that table.
TEST_CASE("data: every type decodes to its value and back to the same octets", "[dlms]") {
    struct Row {
        const char* hex;
        Data value;
    };
    const auto row = GENERATE(values<Row>({
        {"00", Null{}},
        {"0100", array({})},
        {"0102110A1200FF", array({std::uint8_t{10}, std::uint16_t{255}})},
        {"02020F80107FFF", structure({std::int8_t{-128}, std::int16_t{32767}})},
        {"0301", true},
        {"0300", false},
        {"0409AB80", BitString{9, {0xAB, 0x80}}},
        {"05FFFFFFFE", std::int32_t{-2}},
        {"0600001391", std::uint32_t{5009}},
        {"0903010203", OctetString{{1, 2, 3}}},
        {"0A03574D31", VisibleString{"WM1"}},
        {"0C02C3A9", Utf8String{"\xC3\xA9"}},
        {"0D42", Bcd{0x42}},
        {"14FFFFFFFFFFFFFFFF", std::int64_t{-1}},
        {"158000000000000000", std::uint64_t{1} << 63},
        {"161B", Enum{27}},
        {"173FC00000", 1.5F},
        {"18BFF8000000000000", -1.5},
        {"1907EA0B160700101000800000",
         RawDateTime{{0x07, 0xEA, 0x0B, 0x16, 0x07, 0, 0x10, 0x10, 0, 0x80, 0, 0}}},
        {"1A07EA0B1607", RawDate{{0x07, 0xEA, 0x0B, 0x16, 0x07}}},
        {"1B0010100A", RawTime{{0, 0x10, 0x10, 0x0A}}},
        {"FF", DontCare{}},
        {"1C81", Delta<std::int8_t>{-127}},
        {"1DFF00", Delta<std::int16_t>{-256}},
        {"1E80000001", Delta<std::int32_t>{-2'147'483'647}},
        {"1FFF", Delta<std::uint8_t>{255}},
        {"208001", Delta<std::uint16_t>{32'769}},
        {"21FFFFFFFE", Delta<std::uint32_t>{4'294'967'294}},
    }));
    DYNAMIC_SECTION(row.hex) {
        const auto bytes = octets(row.hex);
        const auto decoded = decode_data(bytes);
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_data(row.value)) == row.hex);
    }
}

TEST_CASE("data: a captured profile buffer is rows of clock, status and two registers", "[dlms]") {
    const Data expected =
        array({profile_row(true), profile_row(false), profile_row(false), profile_row(false)});
    const auto decoded = decode_data(test::vector("PROF-BUF"));
    REQUIRE(decoded);
    CHECK(*decoded == expected);
    CHECK(encode_data(expected) == test::vector("PROF-BUF"));
}

// Source: IEC 61334-6 (A-XDR), length of a variable-length field.
TEST_CASE("data: lengths take the shortest of five forms", "[dlms]") {
    struct Row {
        std::size_t length;
        const char* hex;
    };
    const auto row = GENERATE(values<Row>({{0, "00"},
                                           {0x7F, "7F"},
                                           {0x80, "8180"},
                                           {0xFF, "81FF"},
                                           {0x100, "820100"},
                                           {0xFFFF, "82FFFF"},
                                           {0x10000, "83010000"},
                                           {0x1000000, "8401000000"}}));
    Writer out;
    encode_length(out, row.length);
    CHECK(to_hex(out.view()) == row.hex);
    const auto bytes = octets(row.hex);
    Reader in{bytes};
    CHECK(decode_length(in) == row.length);
    CHECK(in.ok());
}

TEST_CASE("data: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"a tag that does not exist", "0B00", {Fault::bad_tag, 0}},
        {"a wrong tag inside", "0201 07", {Fault::bad_tag, 2}},
        {"more than one value", "0000", {Fault::trailing, 1}},
        {"an array longer than the message", "01847FFFFFFF00", {Fault::truncated, 6}},
        {"a string longer than the message", "0984FFFFFFFF00", {Fault::truncated, 7}},
        {"a bit string whose octets are not there", "0484FFFFFFFF00", {Fault::truncated, 7}},
        {"the indefinite length", "098000", {Fault::bad_value, 1}},
        {"a length of five octets", "09850100000000", {Fault::too_long, 1}},
        {"a tag behind the deltas", "2200", {Fault::bad_tag, 0}},
        {"a delta without its value", "1E000000", {Fault::truncated, 4}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto bytes = octets(row.hex);
        const auto decoded = decode_data(bytes);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}

TEST_CASE("data: depth and number of elements are bounded", "[dlms]") {
    Buffer deep;
    for (int i = 0; i < 17; ++i) deep.insert(deep.end(), {0x01, 0x01});
    deep.push_back(0x00);
    CHECK(decode_data(deep).error().fault == Fault::too_deep);
    CHECK(decode_data(Bytes{deep}.subspan(2)).has_value());

    const auto two_by_three = octets("01020103000000 0103000000");
    CHECK(decode_data(two_by_three, {.depth_max = 2, .elements_max = 8}).has_value());
    CHECK(decode_data(two_by_three, {.depth_max = 2, .elements_max = 7}).error().fault == Fault::too_long);
}

TEST_CASE("data: integer() widens integers, enums and BCD only", "[dlms]") {
    CHECK(Data{std::int8_t{-5}}.integer() == -5);
    CHECK(Data{std::uint32_t{4'000'000'000}}.integer() == 4'000'000'000);
    CHECK(Data{std::uint64_t{7}}.integer() == 7);
    CHECK(Data{Enum{3}}.integer() == 3);
    CHECK(Data{Bcd{0x19}}.integer() == 0x19);
    CHECK_FALSE(Data{std::uint64_t{1} << 63}.integer());
    CHECK_FALSE(Data{true}.integer());
    CHECK_FALSE(Data{1.0}.integer());
    CHECK_FALSE(Data{Delta<std::int8_t>{1}}.integer());  // a difference is no value
    CHECK_FALSE(Data{}.integer());
}
