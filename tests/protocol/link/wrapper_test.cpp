// Captured and published bytes: uplink fact sheet 2 and 3 (LONGI, IVY units), dlms fact sheet 4 (WRAP-1).
#include <catch2/catch.hpp>

#include "protocol/link/fcs.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::link {
namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }

std::vector<WrapperFrame> all_of(WrapperDecoder& decoder) {
    std::vector<WrapperFrame> frames;
    while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
    return frames;
}

const char* const wrap_1 = "000100100001000DC001C100080000010000FF0200";
const char* const login = "0A020C323130363030343032393431005A4C";
const char* const login_ack = "AA030C323130363030343032393431007004";
const char* const beat = "0C010C3231313230303530343337374002";
const char* const beat_ack = "CC030C32313132303035303433373794FF";

}  // namespace

TEST_CASE("fcs: the check value of CRC-16/X-25", "[link]") { CHECK(fcs16(as_bytes("123456789")) == 0x906E); }

TEST_CASE("wrapper: WRAP-1 both ways", "[link]") {
    const WrapperFrame frame{Sap{16}, Sap{1}, hex("C001C100080000010000FF0200")};
    CHECK(encode_wrapper(frame) == hex(wrap_1));
    WrapperDecoder decoder;
    decoder.feed(hex(wrap_1));
    CHECK(all_of(decoder) == std::vector{frame});
    CHECK_FALSE(decoder.partial());
}

TEST_CASE("wrapper: every cut of the stream into two pieces gives the same PDUs", "[link]") {
    const Buffer stream = hex(std::string(wrap_1) + "0001000100010012" + login + wrap_1);
    WrapperDecoder whole;
    whole.feed(stream);
    const auto expected = all_of(whole);
    REQUIRE(expected.size() == 3);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        WrapperDecoder decoder;
        decoder.feed(Bytes{stream}.first(cut));
        auto frames = all_of(decoder);
        decoder.feed(Bytes{stream}.subspan(cut));
        for (auto& frame : all_of(decoder)) frames.push_back(std::move(frame));
        CHECK(frames == expected);
    }
    WrapperDecoder octets;
    std::vector<WrapperFrame> frames;
    for (const std::uint8_t octet : stream) {
        octets.feed(Bytes{&octet, 1});
        for (auto& frame : all_of(octets)) frames.push_back(std::move(frame));
    }
    CHECK(frames == expected);
}

TEST_CASE("wrapper: a prefix is neither a PDU nor an error", "[link]") {
    const Buffer bytes = hex(wrap_1);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        WrapperDecoder decoder;
        decoder.feed(Bytes{bytes}.first(size));
        CHECK_FALSE(decoder.next());
        CHECK_FALSE(decoder.error());
        CHECK(decoder.partial() == (size > 0));
    }
}

TEST_CASE("wrapper: a lost stream says why and stays lost", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row = GENERATE(
        values<Row>({{"version 2", "0002", {Fault::bad_version, 0}},
                     {"text", "474554202F20485454502F312E31", {Fault::bad_version, 0}},
                     {"257 octets where 256 are allowed", "0001000100010101", {Fault::too_long, 6}}}));
    DYNAMIC_SECTION(row.why) {
        WrapperDecoder decoder{256};
        decoder.feed(hex(row.bytes));
        CHECK_FALSE(decoder.next());
        CHECK(decoder.error() == row.error);
        decoder.feed(hex(wrap_1));
        CHECK_FALSE(decoder.next());
    }
}

TEST_CASE("wrapper on UDP: one datagram is one PDU", "[link]") {
    const WrapperFrame frame{Sap{16}, Sap{1}, hex("C001C100080000010000FF0200")};
    const auto decoded = decode_wrapper_datagram(hex(wrap_1));
    REQUIRE(decoded);
    CHECK(*decoded == frame);
    const Buffer bytes = hex(wrap_1);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        const auto part = decode_wrapper_datagram(Bytes{bytes}.first(size));
        REQUIRE_FALSE(part);
        CHECK(part.error() == Error{Fault::truncated, size});
    }
    struct Row {
        std::string bytes;
        Error error;
    };
    for (const auto& [wrong, error] : {Row{std::string{wrap_1} + "00", {Fault::trailing, 21}},
                                       Row{std::string{wrap_1} + wrap_1, {Fault::trailing, 21}},
                                       Row{"000200100001000100", {Fault::bad_version, 0}},
                                       Row{"0001001000010101", {Fault::too_long, 6}}}) {
        CAPTURE(wrong);
        const auto refused = decode_wrapper_datagram(hex(wrong), 256);
        REQUIRE_FALSE(refused);
        CHECK(refused.error() == error);
    }
}

TEST_CASE("hello: captured log-in and heartbeat both ways", "[link]") {
    struct Row {
        const char* bytes;
        Hello hello;
    };
    const auto row = GENERATE(values<Row>({
        {login, {Hello::Kind::login, 2, "210600402941", 0, true}},
        {login_ack, {Hello::Kind::login_ack, 3, "210600402941", 0, true}},
        {beat, {Hello::Kind::heartbeat, 1, "211200504377", std::nullopt, true}},
        {beat_ack, {Hello::Kind::heartbeat_ack, 3, "211200504377", std::nullopt, true}},
        {"0A020C303030303030303030303031007BC9", {Hello::Kind::login, 2, "000000000001", 0, true}},
        {"AA030C303030303030303030303031005181", {Hello::Kind::login_ack, 3, "000000000001", 0, true}},
    }));
    DYNAMIC_SECTION(row.bytes) {
        CHECK(is_hello(hex(row.bytes)));
        const auto hello = decode_hello(hex(row.bytes));
        REQUIRE(hello);
        CHECK(*hello == row.hello);
        CHECK(encode_hello(row.hello) == hex(row.bytes));
    }
}

TEST_CASE("hello: a wrong checksum is told, not refused", "[link]") {
    Buffer bytes = hex(login);
    bytes.back() ^= 1U;
    const auto hello = decode_hello(bytes);
    REQUIRE(hello);
    CHECK_FALSE(hello->checksum_ok);
    CHECK(hello->address == "210600402941");
}

TEST_CASE("hello: refuses a malformed message and says where", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"an APDU", "C001C100080000010000FF0200", {Fault::bad_tag, 0}},
        {"address of 33", "0A0221", {Fault::too_long, 2}},
        {"no address", "0A0200005A4C", {Fault::bad_value, 2}},
        {"address not text", "0A02023100005A4C", {Fault::bad_value, 3}},
        {"octets after the checksum", "0A020C323130363030343032393431005A4C00", {Fault::trailing, 17}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto hello = decode_hello(hex(row.bytes));
        REQUIRE_FALSE(hello);
        CHECK(hello.error() == row.error);
    }
}

TEST_CASE("hello: every prefix is truncated, or without its option and its right checksum", "[link]") {
    const Buffer bytes = hex(login);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        const auto hello = decode_hello(Bytes{bytes}.first(size));
        if (size + 1 == bytes.size()) {
            REQUIRE(hello);
            CHECK_FALSE(hello->checksum_ok);
        } else {
            REQUIRE_FALSE(hello);
            CHECK(hello.error() == Error{Fault::truncated, size});
        }
    }
}

TEST_CASE("gateway: request and answer of the fact sheet, both ways", "[link]") {
    struct Row {
        const char* bytes;
        bool response;
        std::uint8_t network;
        const char* address;
        const char* apdu;
    };
    const auto row = GENERATE(values<Row>({
        {"E60006123456789012C001C100030100010800FF0200", false, 0, "123456789012",
         "C001C100030100010800FF0200"},
        {"E70006123456789012C401C1000600002394", true, 0, "123456789012", "C401C1000600002394"},
        {"E6030C3534303030303030303334316036A109", false, 3, "353430303030303030333431", "6036A109"},
    }));
    DYNAMIC_SECTION(row.bytes) {
        const GatewayFrame expected{row.response, row.network, hex(row.address), hex(row.apdu)};
        CHECK(is_gateway(hex(row.bytes)));
        const auto frame = decode_gateway(hex(row.bytes));
        REQUIRE(frame);
        CHECK(*frame == expected);
        CHECK(encode_gateway(expected) == hex(row.bytes));
    }
}

TEST_CASE("gateway: the captured request of a LONGI unit, whole with its wrapper", "[link]") {
    const Buffer bytes =
        hex("0001001100010047E6030C35343030303030303033343160"
            "36A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F"
            "040000"
            "7E1F04B0");
    const auto outer = decode_wrapper_datagram(bytes);
    REQUIRE(outer);
    CHECK(outer->source == Sap{0x11});
    const auto gateway = decode_gateway(outer->payload);
    REQUIRE(gateway);
    CHECK(gateway->network == 3);
    CHECK(std::string(gateway->address.begin(), gateway->address.end()) == "540000000341");  // ASCII here
    CHECK(gateway->apdu.front() == 0x60);
    CHECK(gateway->apdu.size() == 0x38);
    CHECK(encode_wrapper({outer->source, outer->destination, encode_gateway(*gateway)}) == bytes);
}

TEST_CASE("gateway: refuses a malformed prefix and says where", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row =
        GENERATE(values<Row>({{"empty", "", {Fault::truncated, 0}},
                              {"an APDU", "C0", {Fault::bad_tag, 0}},
                              {"address of 33", "E60021", {Fault::too_long, 2}},
                              {"address cut", "E600061234", {Fault::truncated, 5}},
                              {"nothing behind the address", "E60006123456789012", {Fault::truncated, 9}}}));
    DYNAMIC_SECTION(row.why) {
        const auto frame = decode_gateway(hex(row.bytes));
        REQUIRE_FALSE(frame);
        CHECK(frame.error() == row.error);
    }
    const Buffer bytes = hex("E60006123456789012C0");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        const auto frame = decode_gateway(Bytes{bytes}.first(size));
        REQUIRE_FALSE(frame);
        CHECK(frame.error().fault == Fault::truncated);
    }
}

}  // namespace wattmesh::link
