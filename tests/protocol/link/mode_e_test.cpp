// Messages: uplink fact sheet 10 (request, select of mode E at 9600) and IEC 62056-21:2002, 6.3 and annex E.
#include <catch2/catch.hpp>

#include "protocol/link/echo.h"
#include "protocol/link/mode_e.h"

namespace wattmesh::link {
namespace {

using namespace std::chrono_literals;

Buffer hex(std::string_view text) { return from_hex(text).value(); }
Buffer text(std::string_view characters) { return to_buffer(as_bytes(characters)); }

const char* const request = "2F3F210D0A";
const char* const select_9600 = "063235320D0A";

std::string words(const SignOnAction& action) {
    if (const auto* octets = std::get_if<Buffer>(&action)) return to_hex(*octets);
    if (const auto* line = std::get_if<SwitchBaud>(&action))
        return std::to_string(line->baud) + (line->framing == Framing::seven_even ? " 7E1" : " 8N1");
    return std::to_string(std::get<StartTimer>(action).after / 1ms) + " ms";
}
template <class Side>
std::vector<std::string> actions(Side& side) {
    std::vector<std::string> all;
    while (const auto action = side.take_action()) all.push_back(words(*action));
    return all;
}
using Actions = std::vector<std::string>;

ModeEServer meter(const std::string& address = "540000000001") {
    ModeEServer side{{.identification = {"WMT", '5', "2", "METER"}, .address = address}};
    side.start();
    CHECK(actions(side) == Actions{"300 7E1"});
    return side;
}
ModeEClient asking(ModeEClient::Config config = {}) {
    ModeEClient side{std::move(config)};
    side.start();
    CHECK(actions(side).back() == "3000 ms");
    return side;
}

}  // namespace

TEST_CASE("sign-on messages: both ways as the sheet and real meters have them", "[link]") {
    CHECK(to_hex(encode(SignOnRequest{})) == request);
    CHECK(*decode_sign_on_request(hex(request)) == SignOnRequest{});
    CHECK(decode_sign_on_request(text("/?12345678!\r\n"))->address == "12345678");
    CHECK(to_hex(encode(SignOnSelect{'2', '5', '2'})) == select_9600);
    CHECK(decode_sign_on_select(hex(select_9600))->hdlc());
    CHECK_FALSE(decode_sign_on_select(hex("063035300D0A"))->hdlc());  // readout
    CHECK_FALSE(decode_sign_on_select(hex("063035310D0A"))->hdlc());  // programming
    const auto iskra = decode_sign_on_identification(text("/ISk5\\2MT382-1000\r\n"));
    REQUIRE(iskra);
    CHECK(*iskra == SignOnIdentification{"ISk", '5', "2", "MT382-1000"});
    CHECK(iskra->offers_hdlc());
    CHECK(encode(*iskra) == text("/ISk5\\2MT382-1000\r\n"));
    const auto plain = decode_sign_on_identification(text("/LGZ4ZMF100AC.M26\r\n"));
    REQUIRE(plain);
    CHECK_FALSE(plain->offers_hdlc());
    CHECK(baud_of('6') == 19'200);
    CHECK(baud_of('7') == 0);
    CHECK(baud_of('A') == 0);
    CHECK(baud_character(9'600) == '5');
    CHECK(baud_character(115'200) == '6');
    CHECK(baud_character(110) == '0');
}

TEST_CASE("sign-on messages: malformed ones are refused with their place", "[link]") {
    CHECK(decode_sign_on_request(text("/?12!\r")).error() == Error{Fault::truncated, 6});
    CHECK(decode_sign_on_request(text("/!\r\n")).error() == Error{Fault::bad_tag, 1});
    CHECK(decode_sign_on_request(text("/?1/2!\r\n")).error() == Error{Fault::bad_value, 3});
    CHECK(decode_sign_on_request(text("/?" + std::string(33, '1') + "!\r\n")).error() ==
          Error{Fault::too_long, 2});
    CHECK(decode_sign_on_identification(text("/I1K5\\2MT\r\n")).error() == Error{Fault::bad_value, 2});
    CHECK(decode_sign_on_identification(text("/ISK5\\2MT!\r\n")).error() == Error{Fault::bad_value, 9});
    CHECK(decode_sign_on_identification(text("/ISK5\\2\\2\\2\\2\\2\r\n")).error() ==
          Error{Fault::too_long, 13});
    CHECK(decode_sign_on_select(text("\x06"
                                     "252\r\nx"))
              .error() == Error{Fault::trailing, 6});
    CHECK(decode_sign_on_select(text("\x15")).error() == Error{Fault::bad_tag, 0});
    for (const auto& message : {text("/?12!\r\n"), text("/ISK5\\2MT\r\n"), hex(select_9600)})
        for (std::size_t size = 0; size < message.size(); ++size) {
            const Bytes part = Bytes{message}.first(size);
            CHECK_FALSE(decode_sign_on_request(part));
            CHECK_FALSE(decode_sign_on_identification(part));
            CHECK_FALSE(decode_sign_on_select(part));
        }
    CHECK(asks({""}, "123"));
    CHECK(asks({"000123"}, "123"));
    CHECK_FALSE(asks({"124"}, "123"));
}

TEST_CASE("mode E reader: request, select and the switches of the line in their order", "[link]") {
    ModeEClient side{{.baud_max = 9'600}};
    side.start();
    CHECK(actions(side) == Actions{"300 7E1", request, "3000 ms"});
    side.feed(text("/WMT5\\2METER\r\n"));
    CHECK(actions(side) == Actions{"200 ms"});
    CHECK(side.meter().identification == "METER");
    side.timed_out();
    CHECK(actions(side) == Actions{select_9600, "9600 7E1", "3000 ms"});
    side.feed(hex(select_9600));
    CHECK(actions(side) == Actions{"9600 8N1", "200 ms"});
    CHECK_FALSE(side.ready());
    side.feed(hex("7EA0"));  // a meter that is in a hurry
    side.timed_out();
    CHECK(side.ready());
    CHECK(side.take_rest() == hex("7EA0"));
}

TEST_CASE("mode E reader: other rates, other meters", "[link]") {
    SECTION("more than we can: 300 is the only other choice") {
        ModeEClient side = asking({.baud_max = 4'800});
        side.feed(text("/WMT5\\2METER\r\n"));
        side.timed_out();
        CHECK(actions(side).at(1) == "063230320D0A");
    }
    SECTION("a small third letter makes the pause short") {
        ModeEClient side = asking();
        side.feed(text("/ISk5\\2MT382\r\n"));
        CHECK(actions(side) == Actions{"20 ms"});
    }
    SECTION("a line left at eight bits shows the parity bit") {
        ModeEClient side = asking();
        Buffer octets = text("/ISk5\\2MT382\r\n");
        for (auto& octet : octets)
            if (__builtin_parity(octet) != 0) octet |= 0x80;
        side.feed(octets);
        CHECK(side.meter().identification == "MT382");
    }
    SECTION("no mode E") {
        ModeEClient side = asking();
        side.feed(text("/LGZ4ZMF100AC.M26\r\n"));
        CHECK(side.failure() == ModeEClient::Failure::not_offered);
    }
    SECTION("a rate of mode B") {
        ModeEClient side = asking();
        side.feed(text("/LGZA\\2ZMF100AC.M26\r\n"));
        CHECK(side.failure() == ModeEClient::Failure::bad_baud);
    }
    SECTION("the meter confirms something else") {
        ModeEClient side = asking();
        side.feed(text("/WMT5\\2METER\r\n"));
        side.timed_out();
        side.feed(hex("063034300D0A"));
        CHECK(side.failure() == ModeEClient::Failure::refused);
    }
    SECTION("a meter that does not confirm: refused, or taken where settings say so") {
        const bool required = GENERATE(true, false);
        ModeEClient side = asking({.confirmation_required = required});
        side.feed(text("/WMT5\\2METER\r\n"));
        side.timed_out();
        side.timed_out();
        CHECK(side.ready() != required);
        CHECK((side.failure() == ModeEClient::Failure::no_answer) == required);
    }
    SECTION("on battery: zeros for 2.2 s and a pause before the request") {
        ModeEClient side{{.wake_up = true}};
        side.start();
        CHECK(actions(side) == Actions{"300 7E1", std::string(132, '0'), "3800 ms"});
        side.timed_out();
        CHECK(actions(side) == Actions{request, "3000 ms"});
    }
}

TEST_CASE("mode E reader: a silent or garbled meter is asked three times, then the failure shows", "[link]") {
    ModeEClient side = asking({.address = "12"});
    for (int again = 0; again < 2; ++again) {
        side.feed(text("/W5\r\n"));
        side.timed_out();
        CHECK(actions(side) == Actions{to_hex(text("/?12!\r\n")), "3000 ms"});
    }
    side.timed_out();
    CHECK(side.state() == ModeEClient::State::failed);
    CHECK(side.failure() == ModeEClient::Failure::no_answer);
    CHECK(side.refused() == 2);
    side.timed_out();
    side.feed(text("/WMT5\\2METER\r\n"));
    CHECK(actions(side).empty());
}

TEST_CASE("mode E meter: answers at every chunking and hands over with the rest", "[link]") {
    for (std::size_t size = 1; size < 9; ++size) {
        CAPTURE(size);
        ModeEServer side = meter();
        const auto feed = [&](const Buffer& octets) {
            for (std::size_t at = 0; at < octets.size(); at += size)
                side.feed(Bytes{octets}.subspan(at, std::min(size, octets.size() - at)));
        };
        feed(hex(std::string{"0000"} + request));
        CHECK(actions(side) == Actions{"200 ms"});
        side.timed_out();
        CHECK(actions(side) == Actions{to_hex(text("/WMT5\\2METER\r\n")), "3000 ms"});
        feed(hex(select_9600));
        CHECK(actions(side) == Actions{"9600 7E1", "200 ms"});
        side.timed_out();
        CHECK(actions(side) == Actions{select_9600, "9600 8N1"});
        CHECK(side.ready());
        side.feed(hex("7EA00703"));
        CHECK(side.take_rest() == hex("7EA00703"));
        CHECK(side.refused() == 0);
        side.start();
        CHECK(actions(side) == Actions{"300 7E1"});
        CHECK(side.state() == ModeEServer::State::idle);
    }
}

TEST_CASE("mode E meter: who else it is, what else it is asked, and what it repeats", "[link]") {
    ModeEServer side = meter();
    SECTION("another address") {
        side.feed(text("/?540000000002!\r\n"));
        CHECK(actions(side).empty());
        CHECK(side.refused() == 1);
    }
    SECTION("its own address, with zeros in front") {
        side.feed(text("/?00540000000001!\r\n"));
        CHECK(actions(side) == Actions{"200 ms"});
    }
    SECTION("readout, which it does not have; then once more, right") {
        side.feed(hex(request));
        side.timed_out();
        side.feed(hex("063035300D0A"));
        CHECK(side.state() == ModeEServer::State::idle);
        CHECK(side.refused() == 1);
        side.feed(hex(request));
        side.timed_out();
        side.feed(hex("063230320D0A"));  // stays at 300
        side.timed_out();
        CHECK(actions(side).back() == "300 8N1");
        CHECK(side.ready());
    }
    SECTION("a rate that was not offered") {
        side.feed(hex(request));
        side.timed_out();
        side.feed(hex("063236320D0A"));
        CHECK(side.state() == ModeEServer::State::idle);
    }
    SECTION("NAK: three times, not more") {
        side.feed(hex(request));
        for (int again = 0; again < 4; ++again) {
            side.timed_out();
            CHECK(actions(side).size() == (again == 0 ? 3U : 2U));
            side.feed(hex("15"));
            if (again < 3) CHECK(actions(side) == Actions{"200 ms"});
        }
        CHECK(side.state() == ModeEServer::State::idle);
    }
    SECTION("nobody selects") {
        side.feed(hex(request));
        side.timed_out();
        side.timed_out();
        CHECK(side.state() == ModeEServer::State::idle);
    }
    SECTION("noise, a line that never ends, a request in the middle of one") {
        side.feed(Buffer(500, 'U'));
        side.feed(text("/?" + std::string(300, '1')));
        side.feed(text("/?12"));
        side.feed(hex(request));
        CHECK(actions(side) == Actions{"200 ms"});
        CHECK(side.refused() >= 2);
    }
}

TEST_CASE("mode E: reader and meter meet over a line whose every message may be cut", "[link]") {
    for (std::size_t size = 1; size < 20; ++size) {
        ModeEClient reader{{.address = "7"}};
        ModeEServer side{{.identification = {"WMT", '6', "2", "METER"}, .address = "7"}};
        reader.start();
        side.start();
        SwitchBaud reader_line, meter_line;
        const auto carry = [&](auto& from, auto& to, SwitchBaud& line) {
            bool timer = false;
            while (const auto action = from.take_action()) {
                if (const auto* octets = std::get_if<Buffer>(&*action))
                    for (std::size_t at = 0; at < octets->size(); at += size)
                        to.feed(Bytes{*octets}.subspan(at, std::min(size, octets->size() - at)));
                if (const auto* baud = std::get_if<SwitchBaud>(&*action)) line = *baud;
                timer = timer || std::holds_alternative<StartTimer>(*action);
            }
            return timer;
        };
        for (int turn = 0; turn < 20 && !(reader.ready() && side.ready()); ++turn) {
            carry(reader, side, reader_line);
            if (side.state() == ModeEServer::State::answering ||
                side.state() == ModeEServer::State::confirming)
                side.timed_out();
            carry(side, reader, meter_line);
            if (reader.state() == ModeEClient::State::pausing ||
                reader.state() == ModeEClient::State::settling)
                reader.timed_out();
        }
        carry(reader, side, reader_line);
        CHECK(reader.ready());
        CHECK(side.ready());
        CHECK(reader_line == SwitchBaud{19'200, Framing::eight_none});
        CHECK(meter_line == reader_line);
    }
}

TEST_CASE("echo: exactly what was sent is taken off, at every chunking, and nothing else", "[link]") {
    const Buffer first = text("/?!\r\n"), second = hex(select_9600), answer = text("/WMT5\\2METER\r\n");
    Buffer line = first;
    line.insert(line.end(), second.begin(), second.end());
    line.insert(line.end(), answer.begin(), answer.end());
    for (std::size_t size = 1; size <= line.size(); ++size) {
        EchoFilter echo{true}, off{false};
        echo.sent(first);
        echo.sent(second);
        off.sent(first);
        Buffer through, all;
        for (std::size_t at = 0; at < line.size(); at += size) {
            const Bytes octets = Bytes{line}.subspan(at, std::min(size, line.size() - at));
            const Buffer part = echo.received(octets), same = off.received(octets);
            through.insert(through.end(), part.begin(), part.end());
            all.insert(all.end(), same.begin(), same.end());
        }
        CHECK(through == answer);
        CHECK(all == line);
        CHECK(echo.missing() == 0);
    }
}

TEST_CASE("echo: a head that does not echo loses nothing, though the answer begins the same", "[link]") {
    EchoFilter echo{true};
    echo.sent(hex("7EA0070321930F017E"));
    CHECK(echo.received(hex("7EA0")).empty());
    CHECK(echo.received(hex("07210373")) == hex("7EA007210373"));
    CHECK(echo.missing() == 1);
    CHECK(echo.received(hex("01407E")) == hex("01407E"));
}

}  // namespace wattmesh::link
