#include "protocol/dlms/compact_array.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/data.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::octets;

namespace {

TypeDescription scalar(std::uint8_t tag) { return {tag, 0, {}}; }
const TypeDescription pair_of_u32_u8{0x02, 0, {scalar(0x06), scalar(0x11)}};

}  // namespace

TEST_CASE("compact array: the vector is rows of one structure, and goes back to the same octets", "[dlms]") {
    const auto bytes = test::vector("CA-1");
    const auto decoded = decode_data(bytes);
    REQUIRE(decoded);
    const Data expected = CompactArray{
        pair_of_u32_u8,
        {structure({std::uint32_t{1}, std::uint8_t{5}}), structure({std::uint32_t{2}, std::uint8_t{6}})}};
    CHECK(*decoded == expected);
    CHECK(encode_data(expected) == bytes);
}

// Octets by hand after Green Book ed. 10, 9.5 (TypeDescription): array = 01, count of 16 bits, type;
// structure = 02, number of types, types; contents without tags, variable-length fields with their length.
TEST_CASE("compact array: every form of type description", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        CompactArray value;
    };
    const auto row = GENERATE(values<Row>({
        {"of bare integers", "13 10 04 0001 FFFF", {scalar(0x10), {std::int16_t{1}, std::int16_t{-1}}}},
        {"of none", "13 06 00", {scalar(0x06), {}}},
        {"of strings",
         "13 09 05 02AABB 00 00",
         {scalar(0x09), {octet_string(octets("AABB")), octet_string(Buffer{}), octet_string(Buffer{})}}},
        {"of bit strings",
         "13 04 05 09AB80 04F0",
         {scalar(0x04), {BitString{9, {0xAB, 0x80}}, BitString{4, {0xF0}}}}},
        {"of structures with a null",
         "13 02020011 02 0507",
         {{0x02, 0, {scalar(0x00), scalar(0x11)}},
          {structure({Null{}, std::uint8_t{5}}), structure({Null{}, std::uint8_t{7}})}}},
        {"of arrays",
         "13 01000211 04 01020304",
         {{0x01, 2, {scalar(0x11)}},
          {array({std::uint8_t{1}, std::uint8_t{2}}), array({std::uint8_t{3}, std::uint8_t{4}})}}},
        {"of structures with an array of structures inside",
         "13 0202110100020202 1112 07 05010002030004",
         {{0x02, 0, {scalar(0x11), {0x01, 2, {{0x02, 0, {scalar(0x11), scalar(0x12)}}}}}},
          {structure({std::uint8_t{5}, array({structure({std::uint8_t{1}, std::uint16_t{2}}),
                                              structure({std::uint8_t{3}, std::uint16_t{4}})})})}}},
        {"of deltas and date-times",
         "13 02021E19 10 FFFFFFFE 07EA0B160700101000800000",
         {{0x02, 0, {scalar(0x1E), scalar(0x19)}},
          {structure({Delta<std::int32_t>{-2},
                      RawDateTime{{0x07, 0xEA, 0x0B, 0x16, 0x07, 0, 0x10, 0x10, 0, 0x80, 0, 0}}})}}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_data(octets(row.hex));
        REQUIRE(decoded);
        CHECK(*decoded == Data{row.value});
        CHECK(encode_data(row.value) == octets(row.hex));
    }
}

TEST_CASE("compact array: stands inside of other values", "[dlms]") {
    const auto bytes = octets("0202 13060400000009 1105");
    const auto decoded = decode_data(bytes);
    REQUIRE(decoded);
    CHECK(*decoded == structure({CompactArray{scalar(0x06), {std::uint32_t{9}}}, std::uint8_t{5}}));
    CHECK(encode_data(*decoded) == bytes);
}

TEST_CASE("compact array: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"no type", "13", {Fault::truncated, 1}},
        {"a type that does not exist", "13 07 00", {Fault::bad_tag, 1}},
        {"a compact array inside", "13 0201131100 00", {Fault::bad_tag, 3}},
        {"a type inside that does not exist", "13 020311120B 00", {Fault::bad_tag, 5}},
        {"more types than octets", "13 0284FFFFFFFF", {Fault::truncated, 7}},
        {"contents longer than the message", "13 06 84FFFFFFFF", {Fault::truncated, 7}},
        {"half a row", "13 06 06 0000000100FF", {Fault::truncated, 9}},
        {"a row that ends in what follows", "0202 13 06 03 000000 1105", {Fault::truncated, 8}},
        {"a string beyond the contents", "0202 13 09 03 05AABB 0601020304", {Fault::truncated, 8}},
        {"rows of nothing", "13 00 01 00", {Fault::bad_value, 1}},
        {"rows of structures of nothing", "13 02020000 01 00", {Fault::bad_value, 1}},
        {"arrays of nothing in every row", "13 020211 01FFFF00 01 05", {Fault::bad_value, 1}},
        {"arrays of arrays of nothing", "13 01FFFF01FFFFFF 01 05", {Fault::bad_value, 1}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_data(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}

TEST_CASE("compact array: no prefix of one decodes", "[dlms]") {
    for (const char* hex : {"13020206110A00000001050000000206", "13 0202110100020202111207 05010002030004",
                            "13 09 05 02AABB0000", "13 06 00"}) {
        const auto bytes = octets(hex);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            INFO(hex << ", " << size << " octets");
            CHECK_FALSE(
                decode_data(Buffer{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}));
        }
    }
}

TEST_CASE("compact array: depth, elements and rows are bounded together with those around", "[dlms]") {
    Buffer deep{0x13};
    for (int i = 0; i < 16; ++i) deep.insert(deep.end(), {0x02, 0x01});
    deep.insert(deep.end(), {0x11, 0x01, 0x05});
    CHECK(decode_data(deep).error() == Error{Fault::too_deep, 31});
    deep.erase(deep.begin() + 1, deep.begin() + 3);
    CHECK(decode_data(deep).has_value());

    // 1 + 2 types, 2 rows of 3 elements each (a structure of two counts itself as a row): 2 + 2 + 4 = 8
    const auto two_rows = test::vector("CA-1");
    CHECK(decode_data(two_rows, {.depth_max = 2, .elements_max = 8}).has_value());
    CHECK(decode_data(two_rows, {.depth_max = 2, .elements_max = 7}).error().fault == Fault::too_long);
    CHECK(decode_data(two_rows, {.depth_max = 1, .elements_max = 8}).error().fault == Fault::too_deep);

    // one octet of contents stands for a structure of 200 nulls and itself: not more than elements_max of
    // them
    Buffer nulls{0x13, 0x02, 0x81, 201, 0x11};
    nulls.insert(nulls.end(), 200, 0x00);
    nulls.insert(nulls.end(), {0x82, 0x7F, 0xFF});
    nulls.insert(nulls.end(), 0x7FFF, 0x01);
    CHECK(decode_data(nulls).error().fault == Fault::too_long);
}

TEST_CASE("compact array: is made of rows of one type only", "[dlms]") {
    const auto rows = [](Data second) {
        return std::vector<Data>{structure({std::uint32_t{1}, std::uint8_t{5}}), std::move(second)};
    };
    const auto made = compact_array(rows(structure({std::uint32_t{2}, std::uint8_t{6}})));
    REQUIRE(made);
    CHECK(encode_data(*made) == test::vector("CA-1"));

    CHECK_FALSE(compact_array({}));
    CHECK_FALSE(compact_array(rows(structure({std::uint32_t{2}}))));
    CHECK_FALSE(compact_array(rows(structure({std::uint32_t{2}, std::int8_t{6}}))));
    CHECK_FALSE(compact_array(rows(Null{})));
    CHECK_FALSE(compact_array({Null{}, Null{}}));
    CHECK_FALSE(compact_array({structure({}), structure({})}));
    CHECK_FALSE(compact_array({array({})}));
    CHECK_FALSE(compact_array({array({std::uint8_t{1}, std::uint16_t{1}})}));
    CHECK_FALSE(compact_array({array({Null{}})}));
    CHECK_FALSE(compact_array({*made}));
    CHECK(compact_array({array({std::uint8_t{1}, std::uint8_t{2}})}));
    CHECK_FALSE(compact_array({array({std::uint8_t{1}, std::uint8_t{2}}), array({std::uint8_t{1}})}));
}
