#include <catch2/catch.hpp>

#include "protocol/dlms/apdu.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::octets;

namespace {

Buffer encode_any(const Response& response) {
    return std::visit([](const auto& r) { return encode(r); }, response);
}

Data range_row(std::uint8_t hour, std::int32_t value) {
    return structure({octet_string(Buffer{7, 0xEA, 11, 1, 7, hour, 0, 0, 0xFF, 0x80, 0, 0}), value});
}

}  // namespace

TEST_CASE("answers: vectors decode to their values and back", "[dlms]") {
    struct Row {
        const char* id;
        Response value;
    };
    const auto row = GENERATE(values<Row>({
        {"GETR-1", GetResponse{0xC1, Data{std::uint32_t{5009}}}},
        {"GETR-1c", GetResponse{0xC1, Data{OctetString{{7, 0xEA, 11, 22, 7, 0, 16, 16, 0, 0x80, 0, 0}}}}},
        {"GETR-1e", GetResponse{0xC1, AccessResult::hardware_fault}},
        {"GETR-RNG", GetResponse{0xC1, array({range_row(0, 9496), range_row(1, 9497), range_row(2, 9498)})}},
        {"GETB-err", GetBlockResponse{0xC1, true, 19, AccessResult::hardware_fault}},
        {"GETLR-1", GetListResponse{0xC1,
                                    {Data{octet_string(as_bytes("ISK1030777764366"))},
                                     Data{OctetString{{7, 0xE5, 6, 3, 4, 14, 9, 0x17, 0, 0xFF, 0xC4, 0}}}}}},
        {"SETLR-1", SetListResponse{0xC1, {AccessResult::success}}},
        {"SETR-1", SetResponse{0xC1, AccessResult::success}},
        {"SETR-1e", SetResponse{0xC1, AccessResult::read_write_denied}},
        {"SETBR-1", SetBlockResponse{.invoke = 0xC1, .block = 1}},
        {"ACTR-1", ActionResponse{.invoke = 0xC1}},
        {"ACTR-e", ActionResponse{0xC1, {AccessResult::object_undefined, {}}}},
        {"ACT-HLSR", ActionResponse{.invoke = 0xC0,
                                    .outcome = {.value = Data{OctetString{{0x10, 1, 0x23, 0x45, 0x67, 0xFE,
                                                                           0x14, 0x66, 0xAF, 0xB3, 0xDB, 0xCD,
                                                                           0x4F, 0x93, 0x89, 0xE2, 0xB7}}}}}},
    }));
    DYNAMIC_SECTION(row.id) {
        const auto decoded = decode_response(test::vector(row.id));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_any(row.value)) == to_hex(test::vector(row.id)));
    }
}

TEST_CASE("answers: the blocks of a profile together are its encoded value", "[dlms]") {
    Buffer raw;
    for (const char* id : {"GETB-1", "GETB-2", "GETB-3"}) {
        const auto decoded = decode_response(test::vector(id));
        REQUIRE(decoded);
        const auto& block = std::get<GetBlockResponse>(*decoded);
        CHECK(block.last == (id == std::string{"GETB-3"}));
        const auto& part = std::get<Buffer>(block.content);
        CHECK(block_response_size(part.size()) == test::vector(id).size());
        raw.insert(raw.end(), part.begin(), part.end());
        CHECK(to_hex(encode(block)) == to_hex(test::vector(id)));
    }
    CHECK(raw == test::vector("PROF-BUF"));
}

TEST_CASE("answers: the last block of a long SET carries the result", "[dlms]") {
    // Green Book ed. 10, 9.5: SET-Response-Last-Datablock
    CHECK(*decode_response(octets("C503C10B00000002")) ==
          Response{
              SetBlockResponse{.invoke = 0xC1, .results = {AccessResult::object_unavailable}, .block = 2}});
}

TEST_CASE("answers: lists and blocks of the standard that the vectors lack", "[dlms]") {
    // Written by hand after Green Book ed. 10, 9.5.
    struct Row {
        const char* hex;
        Response value;
    };
    const auto row = GENERATE(values<Row>({
        {"C504C1 02 00 03 00000009",
         SetBlockResponse{.invoke = 0xC1,
                          .results = {AccessResult::success, AccessResult::read_write_denied},
                          .list = true,
                          .block = 9}},
        {"C702C1 00 00000001 02 0102",
         ActionBlockResponse{.invoke = 0xC1, .last = false, .block = 1, .octets = {1, 2}}},
        {"C703C1 02 00 01 00 112A 03 00",
         ActionListResponse{
             0xC1, {{AccessResult::success, Data{std::uint8_t{42}}}, {AccessResult::read_write_denied, {}}}}},
        {"C704C1 00000003", ActionNextResponse{0xC1, 3}},
    }));
    DYNAMIC_SECTION(row.hex) {
        const auto decoded = decode_response(octets(row.hex));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_any(row.value)) == to_hex(octets(row.hex)));
    }
}

TEST_CASE("answers: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"a request", "C001C100080000010000FF0200", {Fault::bad_tag, 0}},
        {"a kind of GET that does not exist", "C404C100", {Fault::bad_tag, 1}},
        {"more results than octets", "C505C1 8203E8 00", {Fault::truncated, 6}},
        {"neither data nor a result", "C401C102", {Fault::bad_tag, 3}},
        {"octets behind the end", "C501C10000", {Fault::trailing, 4}},
        {"a block longer than the message", "C402C10000000001 00 84FFFFFFFF00", {Fault::truncated, 15}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_response(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}
