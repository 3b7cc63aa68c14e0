#include <catch2/catch.hpp>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/server.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using dlms::test::octets;

TEST_CASE("exception-response: vectors decode to their values and back", "[dlms]") {
    const ExceptionResponse plain{1, 1, {}}, counter{1, exception::invocation_counter_error, 0x123};
    CHECK(*decode_exception(test::vector("EXC-1")) == plain);
    CHECK(encode(plain) == test::vector("EXC-1"));
    CHECK(*decode_exception(test::vector("EXC-ic")) == counter);
    CHECK(encode(counter) == test::vector("EXC-ic"));
}

TEST_CASE("data-notification: vectors decode to their values and back", "[dlms]") {
    const auto first = decode_data_notification(test::vector("DN-1"));
    REQUIRE(first);
    CHECK(first->invoke == 0x1DB);
    CHECK(first->date_time.empty());
    CHECK(first->body.octets().size() == 34);
    CHECK(encode(*first) == test::vector("DN-1"));

    const Data body = array({structure(
        {OctetString{{1, 0, 1, 7, 0, 255}}, std::uint32_t{367}, structure({std::int8_t{0}, Enum{27}})})});
    CHECK(*decode_data_notification(test::vector("DN-2")) == DataNotification{0x40000000, {}, body});
    CHECK(encode_data_notification(0x40000000, body) == test::vector("DN-2"));
}

// The APDU inside UI-KAIFA of tests/vectors: a Kaifa MA304 puts tag 09 before the date-time's length.
TEST_CASE("data-notification: takes the date-time of a Kaifa meter where its quirk is allowed", "[dlms]") {
    const Buffer apdu = octets("0F40000000090C07E40203010F1B0CFF80000002010600000037");
    const auto strict = decode_data_notification(apdu);
    REQUIRE_FALSE(strict);
    CHECK(strict.error().fault == Fault::bad_value);
    CHECK(strict.error().offset == 5);
    const auto decoded = decode_data_notification(apdu, {.tagged_date_time = true});
    REQUIRE(decoded);
    CHECK(to_hex(decoded->date_time) == "07E40203010F1B0CFF800000");
    CHECK(decoded->body == structure({std::uint32_t{55}}));
}

TEST_CASE("event-notification: a vector decodes to its value", "[dlms]") {
    const auto decoded = decode_event_notification(test::vector("EN-1"));
    REQUIRE(decoded);
    CHECK(*decoded == EventNotification{{}, {1, ObisCode{{0, 0, 97, 97, 0, 255}}, 2}, std::uint8_t{5}});
    const auto timed =
        decode_event_notification(octets("C2010C07EA0B16070010100080000000010000616100FF021105"));
    REQUIRE(timed);
    CHECK(to_hex(*timed->time) == "07EA0B160700101000800000");
    const Buffer tagged = octets("C201090C07EA0B16070010100080000000010000616100FF021105");
    CHECK_FALSE(decode_event_notification(tagged));
    CHECK(decode_event_notification(tagged, {.tagged_date_time = true}).value() == *timed);
}
