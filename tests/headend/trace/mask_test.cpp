#include <catch2/catch.hpp>

#include "headend/trace/explain.h"
#include "headend/trace/mask.h"
#include "protocol/dlt645/frame.h"
#include "protocol/gdw376/frame.h"

using namespace wattmesh;
using namespace wattmesh::headend::trace;
using link::Carried;

namespace {

bool holds(Bytes octets, std::string_view text) {
    return std::search(octets.begin(), octets.end(), text.begin(), text.end()) != octets.end();
}

}  // namespace

TEST_CASE("trace mask: the password of a low level association is blank, the rest stays", "[trace]") {
    // AARQ with the password "12345678" (Green Book ed. 10, 11.2, behind a wrapper and a gateway prefix)
    const Buffer frame = from_hex(
                             "0001000100010040E60006900000000001"
                             "6036A1090607608574050801018A0207808B0760857405080201"
                             "AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0")
                             .value();
    const Buffer shown = masked(Carried::wrapper, frame);
    REQUIRE(holds(frame, "12345678"));
    CHECK_FALSE(holds(shown, "12345678"));
    CHECK(shown.size() == frame.size());
    Buffer expected = frame;
    const auto at =
        std::search(expected.begin(), expected.end(), std::begin("12345678"), std::end("12345678") - 1);
    std::fill_n(at, 8, std::uint8_t{0});
    CHECK(shown == expected);

    SECTION("cut anywhere, nothing of it shows and nothing is read beyond the end") {
        for (std::size_t size = 0; size < frame.size(); ++size)
            CHECK_FALSE(holds(masked(Carried::wrapper, Bytes{frame}.first(size)), "1234567"));
    }
    SECTION("a high level challenge is no secret") {
        Buffer high = frame;
        high[42] = 0x05;  // mechanism 5, GMAC
        REQUIRE(to_hex(Bytes{high}.subspan(34, 9)) == "8B0760857405080205");
        CHECK(masked(Carried::wrapper, high) == high);
    }
}

TEST_CASE("trace mask: passwords of terminals and of meters behind them are blank, frames stay frames",
          "[trace]") {
    const Secret<16> password{
        {'t', 'e', 'r', 'm', 'i', 'n', 'a', 'l', '-', 's', 'e', 'c', 'r', 'e', 't', '!'}};
    dlt645::Frame relay;
    relay.address = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06};
    relay.function = dlt645::Function::control_relay;
    relay.data = {0x02, 0xA1, 0xB2, 0xC3, 0x11, 0x22, 0x33, 0x44, 0x1A, 0x00, 0, 0, 0, 0, 0, 0};
    gdw376::Frame frame;
    frame.address = {0x4403, 1234, false, 2};
    frame.afn = gdw376::Afn::relay;
    frame.units = {0, 0, 1, 0, 0x1F, 0x6B, 0xBC, 0x0A, 0x20, 0x00};
    const Buffer inner = dlt645::encode(relay, 0);
    frame.units.insert(frame.units.end(), inner.begin(), inner.end());
    frame.password = password;

    const Buffer shown = masked(Carried::gdw376, gdw376::encode(frame));
    CHECK_FALSE(holds(shown, "terminal-s"));
    gdw376::Decoder decoder;
    decoder.feed(shown);
    const auto read = decoder.next();  // its checksum is right
    REQUIRE(read);
    CHECK(to_hex(read->password->reveal()) == std::string(32, '0'));
    relay.data[0] = relay.data[1] = relay.data[2] = relay.data[3] = 0;
    const Buffer blank = dlt645::encode(relay, 0);
    CHECK(Buffer(read->units.begin() + 10, read->units.end()) == blank);  // and the inner one is, too
    CHECK(masked(Carried::gdw376, Bytes{shown}.first(12)) == Buffer(12, 0));
}

TEST_CASE("trace words: a line for every kind of link", "[trace]") {
    const auto line = [](Carried carries, std::string_view hex) {
        Record record{.kind = Record::Kind::sent, .carries = carries, .content = from_hex(hex).value()};
        record.size = record.content.size();
        return explain(record).summary;
    };
    CHECK(line(Carried::wrapper, "000100100001000DC001C100080000010000FF0200") ==
          "wrapper from 16 (public client) to 1, 13 octets, get-request-normal invoke 1 confirmed high "
          "priority, "
          "class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time");
    CHECK(line(Carried::modbus_rtu, "0503006B00037604") == "Modbus unit 5: function 3, 6 octets");
    CHECK(line(Carried::modbus_tcp, "000100000003058302") == "Modbus unit 5: exception 2 of function 3");
    CHECK(line(Carried::gdw376, "6832003200 68C900023412000271000001008516") ==
          "376.1 from 0200-1234: AFN 02, sequence 1, 4 octets of data units");
    CHECK(line(Carried::gdw376, "6832") == "2 octets, no whole 376.1 frame");
    CHECK(explain({.kind = Record::Kind::closed, .content = to_buffer(as_bytes("silent for too long"))})
              .summary == "silent for too long");
}
