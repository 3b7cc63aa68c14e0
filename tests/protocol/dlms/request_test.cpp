#include <catch2/catch.hpp>

#include "protocol/dlms/apdu.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::clock_time;
using dlms::test::octets;
using dlms::test::profile_buffer;

namespace {

constexpr CaptureObject clock_column{8, obis::clock, 2, 0};

RangeSelection range() {
    return {clock_column,
            octet_string(octets("07E10A010700000000FFC480")),
            octet_string(octets("07E10A010701000000FFC480")),
            {}};
}

Buffer encode_any(const Request& request) {
    return std::visit([](const auto& r) { return encode(r); }, request);
}

}  // namespace

TEST_CASE("requests: vectors decode to their values and back", "[dlms]") {
    struct Row {
        const char* id;
        Request value;
    };
    const auto row = GENERATE(values<Row>({
        {"GET-1", GetRequest{.invoke = 0xC1, .id = clock_time}},
        {"GET-1gb", GetRequest{.invoke = 0x00, .id = clock_time}},
        {"GETN-1", GetNextRequest{.invoke = 0xC1, .block = 1}},
        {"GET-RNG", GetRequest{.invoke = 0xC1, .id = profile_buffer, .selection = range()}},
        {"GET-ENT",
         GetRequest{.invoke = 0xC1, .id = profile_buffer, .selection = EntrySelection{1, 6, 1, 0}}},
        {"SET-1", SetRequest{.invoke = 0xC1,
                             .target = {clock_time},
                             .value = OctetString{{7, 0xE5, 1, 24, 0xFF, 14, 48, 57, 80, 0xFF, 0xC4, 0}}}},
        {"GETL-1", GetListRequest{.invoke = 0xC1,
                                  .items = {{.id = {1, obis::logical_device_name, 2}, .selection = {}},
                                            {.id = clock_time, .selection = {}}}}},
        {"SETL-1",
         SetListRequest{.invoke = 0xC1, .targets = {{{8, obis::clock, 3}}}, .values = {std::int16_t{-120}}}},
        {"SETB-1",
         SetBlockRequest{
             .invoke = 0xC1, .targets = {{clock_time}}, .block = 1, .octets = {9, 12, 7, 0xE5, 1, 24, 0xFF}}},
        {"SETB-2",
         SetBlockRequest{
             .invoke = 0xC1, .last = true, .block = 2, .octets = {14, 48, 57, 80, 0xFF, 0xC4, 0}}},
        {"ACT-HLS", ActionRequest{.invoke = 0xC0,
                                  .id = {15, obis::current_association, 1},
                                  .argument = OctetString{{0x10, 0, 0, 0, 1, 0x1A, 0x52, 0xFE, 0x7D, 0xD3,
                                                           0xE7, 0x27, 0x48, 0x97, 0x3C, 0x1E, 0x28}}}},
        {"ACT-DISC",
         ActionRequest{.invoke = 0xC1, .id = {70, obis::disconnect_control, 1}, .argument = std::int8_t{0}}},
    }));
    DYNAMIC_SECTION(row.id) {
        const auto decoded = decode_request(test::vector(row.id));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_any(row.value)) == to_hex(test::vector(row.id)));
    }
}

TEST_CASE("requests: lists and blocks of the standard that the vectors lack", "[dlms]") {
    // Written by hand after Green Book ed. 10, 9.5: Set-Request-With-List-And-First-Datablock and the kinds
    // of ACTION.
    struct Row {
        const char* hex;
        Request value;
    };
    const MethodId open{70, obis::disconnect_control, 1}, close{70, obis::disconnect_control, 2};
    const auto row = GENERATE_COPY(values<Row>({
        {"C105C1 01 0008 0000010000FF 03 00 00 00000001 03 0110FF",
         SetBlockRequest{.invoke = 0xC1,
                         .targets = {{{8, obis::clock, 3}}},
                         .list = true,
                         .block = 1,
                         .octets = {1, 0x10, 0xFF}}},
        {"C302C1 00000007", ActionNextRequest{0xC1, 7}},
        {"C303C1 02 0046 0000 60030AFF 01 0046 0000 60030AFF 02 02 0F00 00",
         ActionListRequest{0xC1, {open, close}, {std::int8_t{0}, Null{}}}},
        {"C304C1 0046 0000 60030AFF 01 00 00000001 02 0F00",
         ActionBlockRequest{.invoke = 0xC1, .ids = {open}, .block = 1, .octets = {0x0F, 0}}},
        {"C305C1 01 0046 0000 60030AFF 01 00 00000001 01 01",
         ActionBlockRequest{.invoke = 0xC1, .ids = {open}, .list = true, .block = 1, .octets = {1}}},
        {"C306C1 01 00000002 02 0F00",
         ActionBlockRequest{.invoke = 0xC1, .last = true, .block = 2, .octets = {0x0F, 0}}},
    }));
    DYNAMIC_SECTION(row.hex) {
        const auto decoded = decode_request(octets(row.hex));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode_any(row.value)) == to_hex(octets(row.hex)));
    }
}

TEST_CASE("requests: a selection we do not know is marked, not refused", "[dlms]") {
    const auto hex = GENERATE(values<const char*>({
        "C001C100070100630100FF020103 00",                                   // selector 3
        "C001C100070100630100FF020101 00",                                   // no structure
        "C001C100070100630100FF020102 0202 0600000001 0600000006",           // two fields of four
        "C001C100070100630100FF020102 0204 0600000001 0F FF 120001 120000",  // entry -1
    }));
    const auto decoded = decode_request(octets(hex));
    REQUIRE(decoded);
    CHECK_FALSE(std::get<GetRequest>(*decoded).selection_valid);
}

TEST_CASE("requests: the columns of a range are capture objects", "[dlms]") {
    RangeSelection selection = range();
    selection.columns = {clock_column, {3, obis::active_import_total, 2, 0}};
    const GetRequest request{.invoke = 0xC1, .id = profile_buffer, .selection = selection};
    // GET-RNG with "0100", the empty array at its end, replaced by two structures written by hand
    const auto hex = to_hex(test::vector("GET-RNG"));
    const auto expected = hex.substr(0, hex.size() - 4) +
                          "0102"
                          "020412000809060000010000FF0F02120000"
                          "020412000309060100010800FF0F02120000";
    CHECK(to_hex(encode(request)) == expected);
    CHECK(*decode_request(octets(expected)) == Request{request});
}

TEST_CASE("requests: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"an answer", "C401C1000600001391", {Fault::bad_tag, 0}},
        {"a kind of GET that does not exist", "C004C1", {Fault::bad_tag, 1}},
        {"a kind of ACTION that does not exist", "C307C1", {Fault::bad_tag, 1}},
        {"presence that is neither 0 nor 1", "C001C100080000010000FF0202", {Fault::bad_value, 12}},
        {"octets behind the end", "C001C100080000010000FF020000", {Fault::trailing, 13}},
        {"a list longer than the message", "C003C1830F4240000100002A0000FF0200", {Fault::truncated, 7}},
        {"fewer values than names",
         "C104C102000100002A0000FF0200000100002A0000FF020001 00",
         {Fault::bad_value, 24}},
        {"a block longer than the message", "C103C1010000000284FFFFFFFF07", {Fault::truncated, 14}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_request(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}
