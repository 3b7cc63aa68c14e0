#include "protocol/dlms/acse.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/initiate.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::octets;

namespace {

const Buffer password{'1', '2', '3', '4', '5', '6', '7', '8'};
const Buffer client_challenge{'K', '5', '6', 'i', 'V', 'a', 'g', 'Y'};
const Buffer server_challenge{'P', '6', 'w', 'R', 'J', '2', '1', 'F'};

Buffer initiate_request() { return encode(InitiateRequest{.conformance = 0x007E1F, .pdu_size_max = 1'200}); }
Buffer initiate_response() { return encode(InitiateResponse{.conformance = 0x00501F, .pdu_size_max = 500}); }

}  // namespace

TEST_CASE("initiate: vectors decode to their values and back", "[dlms]") {
    const InitiateRequest request{.conformance = 0x007E1F, .pdu_size_max = 1'200};
    CHECK(*decode_initiate_request(test::vector("INI-1")) == request);
    CHECK(encode(request) == test::vector("INI-1"));

    InitiateRequest keyed = request;
    keyed.dedicated_key = octets("00112233445566778899AABBCCDDEEFF");
    CHECK(*decode_initiate_request(test::vector("INI-2")) == keyed);
    CHECK(encode(keyed) == test::vector("INI-2"));

    const InitiateResponse response{.conformance = 0x00501F, .pdu_size_max = 500};
    CHECK(*decode_initiate_response(test::vector("INIR-1")) == response);
    CHECK(encode(response) == test::vector("INIR-1"));
}

// Some clients encode the conformance tag as 5F alone (fact sheet 1); response-allowed and QoS may be
// present.
TEST_CASE("initiate: takes the short conformance tag and the optional fields", "[dlms]") {
    const auto decoded = decode_initiate_request(octets("01 00 0100 0103 06 5F 0400 007E1F 0000"));
    REQUIRE(decoded);
    CHECK_FALSE(decoded->response_allowed);
    CHECK(decoded->quality_of_service == 3);
    CHECK(decoded->conformance == 0x007E1F);
    CHECK(decoded->pdu_size_max == 0);
    CHECK(encode(*decoded) == octets("01 00 0100 0103 06 5F1F 0400 007E1F 0000"));
}

TEST_CASE("initiate: a dedicated key has a bound and presence is 0 or 1", "[dlms]") {
    CHECK(decode_initiate_request(octets("0101820400")).error() == Error{Fault::too_long, 5});
    CHECK(decode_initiate_request(octets("0102")).error() == Error{Fault::bad_value, 1});
}

TEST_CASE("initiate: confirmedServiceError names the reason", "[dlms]") {
    CHECK(encode(ServiceError{.value = initiate_error::pdu_size_too_short}) == octets("0E010603"));
    CHECK(decode_service_error(octets("0E010601"))->value == initiate_error::version_too_low);
}

TEST_CASE("AARQ: vectors decode to their values and back", "[dlms]") {
    struct Row {
        const char* id;
        Aarq value;
    };
    const auto row = GENERATE(values<Row>({
        {"AARQ-1", {ContextName::logical, {}, {}, {}, initiate_request()}},
        {"AARQ-2", {ContextName::logical, {}, Mechanism::low, password, initiate_request()}},
        {"AARQ-5", {ContextName::logical, {}, Mechanism::high_gmac, client_challenge, initiate_request()}},
        {"AARQ-2c",
         {ContextName::logical_ciphered,
          test::server_title,  // the vector's client has this title
          Mechanism::low,
          password,
          {}}},
    }));
    DYNAMIC_SECTION(row.id) {
        Aarq expected = row.value;
        if (expected.user_information.empty()) expected.user_information = test::vector("INI-2c");
        const auto decoded = decode_aarq(test::vector(row.id));
        REQUIRE(decoded);
        CHECK(*decoded == expected);
        CHECK(to_hex(encode(expected)) == to_hex(test::vector(row.id)));
    }
}

TEST_CASE("AARE: vectors decode to their values and back", "[dlms]") {
    struct Row {
        const char* id;
        Aare value;
    };
    const auto row = GENERATE(values<Row>({
        {"AARE-1", {ContextName::logical, 0, 0, false, {}, {}, {}, initiate_response()}},
        {"AARE-1r", {ContextName::logical, 1, 2, false, {}, {}, {}, initiate_response()}},
        {"AARE-5",
         {ContextName::logical,
          0,
          14,
          false,
          {},
          Mechanism::high_gmac,
          server_challenge,
          initiate_response()}},
    }));
    DYNAMIC_SECTION(row.id) {
        const auto decoded = decode_aare(test::vector(row.id));
        REQUIRE(decoded);
        CHECK(*decoded == row.value);
        CHECK(to_hex(encode(row.value)) == to_hex(test::vector(row.id)));
    }
}

// I-AARE of the fact sheet: a captured Gurux answer with A7 03 02 01 00 between the fields we know.
TEST_CASE("AARE: unknown context tags are skipped", "[dlms]") {
    const auto decoded = decode_aare(octets(
        "612EA109060760857405080101A203020100A305A103020100A703020100BE10040E0800065F1F0400401E5D04000007"));
    REQUIRE(decoded);
    CHECK(decoded->result == association_result::accepted);
    const auto initiate = decode_initiate_response(decoded->user_information);
    REQUIRE(initiate);
    CHECK(initiate->conformance == 0x401E5D);
    CHECK(initiate->pdu_size_max == 1'024);
}

TEST_CASE("AARE: the diagnostic may come from the provider", "[dlms]") {
    const auto decoded = decode_aare(octets("6117A109060760857405080101A203020101A305A203020102"));
    REQUIRE(decoded);
    CHECK(decoded->diagnostic_of_provider);
    CHECK(decoded->diagnostic == 2);
    CHECK(decoded->user_information.empty());
}

TEST_CASE("ACSE: release vectors decode to their values and back", "[dlms]") {
    CHECK(*decode_release(test::vector("RLRQ-1")) == Release{false, 0});
    CHECK(encode(Release{false, 0}) == test::vector("RLRQ-1"));
    CHECK(*decode_release(test::vector("RLRE-1")) == Release{true, 0});
    CHECK(encode(Release{true, 0}) == test::vector("RLRE-1"));
    CHECK(*decode_release(octets("6200")) == Release{false, {}});
}

TEST_CASE("ACSE: refuses what is malformed and says where", "[dlms]") {
    struct Row {
        const char* why;
        const char* hex;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"another APDU", "6100", {Fault::bad_tag, 0}},
        {"octets behind the end", "600000", {Fault::trailing, 2}},
        {"length beyond the end", "6084FFFFFFFF", {Fault::truncated, 6}},
        {"no context name", "6000", {Fault::bad_value, 2}},
        {"a context name of someone else", "600BA109060760857405080201", {Fault::bad_value, 6}},
        {"a context name of the wrong length", "600AA1080606608574050801", {Fault::truncated, 12}},
        {"an element beyond its parent", "6004A1090607", {Fault::truncated, 6}},
        {"a title of three octets", "6007A6050403414243", {Fault::truncated, 9}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_aarq(octets(row.hex));
        REQUIRE_FALSE(decoded);
        CHECK(static_cast<int>(decoded.error().fault) == static_cast<int>(row.error.fault));
        CHECK(decoded.error().offset == row.error.offset);
    }
}
