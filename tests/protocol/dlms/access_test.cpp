#include "protocol/dlms/access.h"

#include <catch2/catch.hpp>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using namespace wattmesh::dlms::test;

TEST_CASE("ACCESS: the request vector decodes to its values and back", "[dlms]") {
    const AccessRequest request{
        .invoke = 0x40000001,
        .specifications = {AccessGet{.id = {1, ObisCode{{1, 1, 0, 0, 1, 255}}, 2}, .selection = {}},
                           AccessGet{.id = clock_time, .selection = {}}},
        .data = {Null{}, Null{}}};
    const auto decoded = decode_access_request(vector("ACC-1"));
    REQUIRE(decoded);
    CHECK(*decoded == request);
    CHECK(to_hex(encode(request)) == to_hex(vector("ACC-1")));
}

TEST_CASE("ACCESS: every kind of specification and a response, by hand", "[dlms]") {
    // Green Book ed. 10, 9.5: Access-Request-Specification 1 to 4, Access-Response
    const char* hex =
        "D9 40000002 0C 07EA0B160700101000800000 03"
        " 02 0008 0000010000FF 03"
        " 03 0046 0000 60030AFF 01"
        " 04 0007 0100630100FF 02 02 0204 0600000001 0600000006 120001 120000"
        " 03 10FF88 0F00 00";
    const auto decoded = decode_access_request(octets(hex));
    REQUIRE(decoded);
    CHECK(decoded->specifications.size() == 3);
    CHECK(decoded->specifications[0] == AccessSpecification{AccessSet{{{8, obis::clock, 3}}}});
    CHECK(decoded->specifications[1] == AccessSpecification{AccessAction{{70, obis::disconnect_control, 1}}});
    CHECK(std::get<AccessGet>(decoded->specifications[2]).selection == Selection{EntrySelection{1, 6, 1, 0}});
    CHECK(decoded->data == std::vector<Data>{std::int16_t{-120}, std::int8_t{0}, Null{}});
    CHECK(to_hex(encode(*decoded)) == to_hex(octets(hex)));

    const char* answer = "DA 40000002 00 00 03 00 00 112A 03 02 00 03 00 01 0B";
    const auto response = decode_access_response(octets(answer));
    REQUIRE(response);
    CHECK(response->results[2] == AccessResponseItem{AccessKind::get, AccessResult::object_unavailable});
    CHECK(response->data[2] == Data{std::uint8_t{42}});
    CHECK(to_hex(encode(*response)) == to_hex(octets(answer)));
}

TEST_CASE("ACCESS: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"a date-time of three octets", "D94000000103010203 0000", {Fault::bad_value, 5}},
        {"an unknown specification", "D940000001 00 01 06 0001010100 0001FF02 01 00", {Fault::bad_tag, 7}},
        {"fewer data than specifications",
         "D940000001 00 02 01 0001010100 0001FF02 01 0008 0000010000FF02 01 00",
         {Fault::bad_value, 27}},
        {"octets behind the end",
         "D94000000100020100010101000001FF020100080000010000FF0202000000",
         {Fault::trailing, 30}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_access_request(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}

namespace {

ClientAccess access_of_reader() {
    ClientAccess access;
    access.client = reading_client;
    return access;
}

struct AssociatedPair : Pair {
    AssociatedPair() : Pair({}, access_of_reader()) {
        model.put(import_total, std::uint32_t{5009});
        client.associate();
        run();
        events();
    }
};

const ObisCode nothing{{9, 9, 9, 9, 9, 9}};

}  // namespace

TEST_CASE("ACCESS: reads, writes and calls in one request, in order", "[dlms]") {
    AssociatedPair pair;
    pair.client.access(
        {AccessGet{.id = import_total, .selection = {}}, AccessSet{{clock_time}},
         AccessGet{.id = clock_time, .selection = {}}, AccessAction{{70, obis::disconnect_control, 1}},
         AccessGet{.id = {1, nothing, 2}, .selection = {}}},
        {Null{}, std::int8_t{7}, Null{}, std::int8_t{0}, Null{}});
    CHECK(pair.run() == 1);
    const auto events = pair.events();
    REQUIRE(events.size() == 1);
    const auto& outcomes = std::get<AccessCompleted>(events[0]).outcomes;
    CHECK(outcomes == std::vector<AccessOutcome>{{AccessResult::success, std::uint32_t{5009}},
                                                 {AccessResult::success, Null{}},
                                                 {AccessResult::success, std::int8_t{7}},
                                                 {AccessResult::success, std::uint8_t{42}},
                                                 {AccessResult::object_undefined, Null{}}});
}

TEST_CASE("ACCESS: break on error stops at the first failure", "[dlms]") {
    AssociatedPair pair;
    pair.client.access({AccessGet{.id = {1, nothing, 2}, .selection = {}}, AccessSet{{clock_time}}},
                       {Null{}, std::int8_t{7}}, true);
    pair.run();
    const auto events = pair.events();
    const auto& outcomes = std::get<AccessCompleted>(events.at(0)).outcomes;
    CHECK(outcomes[0].result == AccessResult::object_undefined);
    CHECK(outcomes[1].result == AccessResult::other_reason);
    CHECK(pair.model.calls == 1);
}

TEST_CASE("ACCESS: an answer to another request, or of another shape, is refused", "[dlms]") {
    AssociatedPair pair;
    const char* answer = GENERATE("DA 40000099 00 00 01 00 01 01 00",           // another invoke-id
                                  "DA C0000001 00 00 02 00 00 02 01 00 01 00",  // two results for one request
                                  "DA C0000001 00 00 01 00 01 02 00");  // SET answered where GET was asked
    pair.client.access({AccessGet{.id = import_total, .selection = {}}}, {Null{}});
    while (pair.client.take_output()) {
    }
    pair.client.receive(octets(answer));
    CHECK(std::get<RequestFailed>(pair.events().at(0)).error.fault == Fault::unexpected);
}
