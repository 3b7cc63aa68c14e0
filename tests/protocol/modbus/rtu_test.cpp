// "mbpoll": seen between mbpoll 1.4 and a slave over a pty, values as mbpoll printed them.
#include "protocol/modbus/rtu.h"

#include <catch2/catch.hpp>

#include "protocol/modbus/number.h"
#include "protocol/modbus/tcp.h"

using namespace wattmesh;
using namespace wattmesh::modbus;

namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }

const Request currents = Read{Function::read_holding_registers, 2'999, 6};  // mbpoll: -r 3000 -c 6
const char* const currents_asked = "01 03 0B B7 00 06 77 CA";
const char* const currents_answer = "01 03 0C 41 48 00 00 41 54 00 00 41 3C 00 00 14 24";

std::vector<double> floats(const Response& response, WordOrder order) {
    const auto& values = std::get<Registers>(response).values;
    std::vector<double> out;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2)
        out.push_back(decode_number(std::span{values}.subspan(i), NumberType::float32, order).value());
    return out;
}

Response found(const char* answer, const Request& request) {
    RtuAnswerFinder finder;
    finder.open(1, request);
    finder.feed(hex(answer));
    const auto response = finder.next();
    REQUIRE(response);
    return response->value();
}

}  // namespace

TEST_CASE("modbus RTU: CRC, check value of CRC-16/MODBUS", "[modbus]") {
    CHECK(crc16(as_bytes("123456789")) == 0x4B37);
}

TEST_CASE("modbus RTU: what mbpoll asks and what it understands", "[modbus]") {
    CHECK(to_hex(encode_rtu(1, encode(currents))) == to_hex(hex(currents_asked)));
    CHECK(floats(found(currents_answer, currents), WordOrder::abcd) == std::vector{12.5, 13.25, 11.75});
    CHECK(floats(found("01 03 0C 00 00 41 48 00 00 41 54 00 00 41 3C 98 FE", currents), WordOrder::cdab) ==
          std::vector{12.5, 13.25, 11.75});
    const Request energy = Read{Function::read_holding_registers, 2'699, 2};
    CHECK(to_hex(encode_rtu(1, encode(energy))) == to_hex(hex("01 03 0A 8B 00 02 B7 F9")));
    CHECK(floats(found("01 03 04 47 F1 20 00 A6 B4", energy), WordOrder::abcd) == std::vector{123456.0});
    CHECK(found("01 83 02 C0 F1", currents) == Response{Exception{ExceptionCode::illegal_data_address}});
    const Request watt_hours = Read{Function::read_holding_registers, 3'203, 4};
    CHECK(to_hex(encode_rtu(1, encode(watt_hours))) == to_hex(hex("01 03 0C 83 00 04 B6 B1")));
    const auto read = std::get<Registers>(found("01 03 08 00 00 00 00 07 5B CD 15 70 2F", watt_hours));
    CHECK(decode_number(read.values, NumberType::int64, WordOrder::abcd) == 123'456'789.0);
    const auto none = std::get<Registers>(found("01 03 04 FF C0 00 00 CA 1B", energy));
    CHECK_FALSE(decode_number(none.values, NumberType::float32, WordOrder::abcd));
}

TEST_CASE("modbus RTU: the answer is found in every chunking, wherever a heartbeat is glued to it",
          "[modbus]") {
    const Buffer answer = hex(currents_answer);
    // The last one looks like the beginning of an answer.
    for (const Buffer& noise : {to_buffer(as_bytes("ping")), hex("FF"), to_buffer(as_bytes("LOGIN:1001")),
                                hex("01 03 0C"), hex("01 03 0C 41 48 00"), hex("01")}) {
        for (const bool behind : {false, true}) {
            Buffer stream = behind ? answer : noise;
            const Buffer& second = behind ? noise : answer;
            stream.insert(stream.end(), second.begin(), second.end());
            for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
                RtuAnswerFinder finder;
                finder.open(1, currents);
                finder.feed(Bytes{stream}.first(cut));
                auto response = finder.next();
                finder.feed(Bytes{stream}.subspan(cut));
                if (!response) response = finder.next();
                REQUIRE(response);
                CHECK(response->value() == found(currents_answer, currents));
                CHECK_FALSE(finder.is_open());
                CHECK(to_hex(finder.take_noise()) == to_hex(noise));
            }
        }
    }
}

TEST_CASE("modbus RTU: what is not the answer to the open request is noise", "[modbus]") {
    RtuAnswerFinder finder;
    finder.feed(hex(currents_answer));  // nothing was asked: a late answer
    CHECK_FALSE(finder.next());
    CHECK(finder.take_noise() == hex(currents_answer));
    finder.open(2, currents);
    finder.feed(hex(currents_answer));  // of another unit
    CHECK_FALSE(finder.next());
    CHECK(finder.take_noise() == hex(currents_answer));
    finder.open(1, currents);
    Buffer broken = hex(currents_answer);
    broken[5] ^= 1;
    finder.feed(broken);
    CHECK_FALSE(finder.next());
    CHECK_FALSE(finder.partial());
    CHECK(finder.take_noise() == broken);
    finder.feed(hex(currents_answer));
    CHECK(finder.next().has_value());
}

TEST_CASE("modbus RTU: a slave finds requests in every chunking and between noise", "[modbus]") {
    const Request write = WriteRegisters{16, {1, 2, 3}, false};
    Buffer stream = hex("00 FE");
    for (const Buffer& part : {encode_rtu(1, encode(currents)), hex("AA"), encode_rtu(7, encode(write))})
        stream.insert(stream.end(), part.begin(), part.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        RtuRequestDecoder decoder;
        std::vector<RtuFrame> frames;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            decoder.feed(Bytes{stream}.subspan(at, std::min(size, stream.size() - at)));
            while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
        }
        REQUIRE(frames.size() == 2);
        CHECK(frames[0] == RtuFrame{1, encode(currents)});
        CHECK(frames[1] == RtuFrame{7, encode(write)});
        CHECK(decoder.skipped() == 3);
    }
    RtuRequestDecoder decoder;
    decoder.feed(Bytes{stream}.first(6));
    CHECK_FALSE(decoder.next());
    decoder.silence();
    decoder.feed(encode_rtu(1, encode(currents)));
    CHECK(decoder.next().has_value());
}

TEST_CASE("modbus TCP: the request of the sheet of mbpoll, every chunking, and a stream that is lost",
          "[modbus]") {
    const TcpFrame first{1, 1, encode(currents)}, second{0xFFFE, 247, hex("83 02")};
    CHECK(to_hex(encode_tcp(first)) == to_hex(hex("00 01 00 00 00 06 01 03 0B B7 00 06")));
    Buffer stream = encode_tcp(first);
    const Buffer more = encode_tcp(second);
    stream.insert(stream.end(), more.begin(), more.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        TcpDecoder decoder;
        std::vector<TcpFrame> frames;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            decoder.feed(Bytes{stream}.subspan(at, std::min(size, stream.size() - at)));
            while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
        }
        CHECK(frames == std::vector{first, second});
        CHECK_FALSE(decoder.partial());
    }
    TcpDecoder other_protocol, too_long, too_short;
    other_protocol.feed(hex("00 01 00 01"));
    CHECK_FALSE(other_protocol.next());
    CHECK(other_protocol.error() == Error{Fault::bad_version, 2});
    too_long.feed(hex("00 01 00 00 01 00"));
    CHECK_FALSE(too_long.next());
    CHECK(too_long.error() == Error{Fault::bad_value, 4});
    too_short.feed(hex("00 01 00 00 00 01 01"));
    CHECK_FALSE(too_short.next());
    CHECK(too_short.error().has_value());
}
