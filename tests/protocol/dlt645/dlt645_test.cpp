// Frames: uplink fact sheet, section 7, checked by hand; the last one was captured from a meter.
#include <catch2/catch.hpp>

#include "protocol/dlt645/frame.h"
#include "protocol/dlt645/item.h"
#include "protocol/dlt645/request.h"

using namespace wattmesh;
using namespace wattmesh::dlt645;

namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }
constexpr Address meter{0x12, 0x34, 0x56, 0x78, 0x90, 0x12};
constexpr DataId forward_total = 0x00010000;

Frame decoded(std::string_view text) {
    Decoder decoder;
    decoder.feed(hex(text));
    auto frame = decoder.next();
    REQUIRE(frame);
    CHECK_FALSE(decoder.partial());
    return *frame;
}
std::string encoded(const Frame& frame) { return to_hex(encode(frame, 0)); }

LocalTime at(int year, unsigned month, unsigned day, std::uint8_t hour, std::uint8_t minute,
             std::uint8_t second) {
    return {std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day), hour, minute, second};
}

}  // namespace

TEST_CASE("645: a total is read, and what the display shows comes as Wh", "[dlt645]") {
    const Frame asked = read(meter, forward_total);
    CHECK(to_hex(encode(asked)) ==
          to_hex(hex("FE FE FE FE 68 12 90 78 56 34 12 68 11 04 33 33 34 33 68 16")));
    CHECK(decoded("FE FE FE FE 68 12 90 78 56 34 12 68 11 04 33 33 34 33 68 16") == asked);
    const auto answer =
        take_answer(decoded("68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16"), asked).value();
    const Item& item = *find_item(forward_total);
    CHECK(decode_values(item, std::get<ReadData>(answer).octets).value() ==
          std::vector<std::optional<double>>{1'234'560.0});
    // Captured from a meter.
    const auto captured = decoded("68 61 10 01 30 12 15 68 91 08 33 33 34 33 AB 39 33 33 49 16");
    CHECK(captured.address == Address{0x15, 0x12, 0x30, 0x01, 0x10, 0x61});
    CHECK(decode_values(item, Bytes{captured.data}.subspan(4)).value().front() == 6'780.0);
}

TEST_CASE("645: address, voltages, clock and relay are asked as the sheet has them", "[dlt645]") {
    CHECK(encoded(read_address()) == to_hex(hex("68 AA AA AA AA AA AA 68 13 00 DF 16")));
    const auto address =
        take_answer(decoded("68 12 90 78 56 34 12 68 93 06 45 C3 AB 89 67 45 07 16"), read_address()).value();
    CHECK(to_hex(std::get<ReadData>(address).octets) == "129078563412");
    CHECK(encoded(read(meter, 0x0201FF00)) == to_hex(hex("68 12 90 78 56 34 12 68 11 04 33 32 34 35 69 16")));
    CHECK(encoded(set_time(broadcast_address, at(2024, 11, 22, 14, 21, 30))).substr(0, 20) ==
          "68999999999999680806");
    // 63 48 47 55 44 57 less 33h each: 30 15 14 22 11 24.
    CHECK(encoded(set_time(broadcast_address, at(2024, 11, 22, 14, 15, 30))) ==
          to_hex(hex("68 99 99 99 99 99 99 68 08 06 63 48 47 55 44 57 56 16")));
    const Frame trip = control_relay(meter, Secret<4>{{{0x02, 0, 0, 0}}}, 1, RelayCommand::trip,
                                     at(2099, 12, 31, 23, 59, 59));
    CHECK(encoded(trip) ==
          to_hex(hex("68 12 90 78 56 34 12 68 1C 10 35 33 33 33 34 33 33 33 4D 33 8C 8C 56 64 45 CC "
                     "B0 16")));
    CHECK(take_answer(decoded("68 12 90 78 56 34 12 68 9C 00 22 16"), trip).value() == Answer{Done{}});
}

TEST_CASE("645: a refusal says why, and what answers something else is not taken", "[dlt645]") {
    const Frame asked = read(meter, forward_total);
    const auto refused = take_answer(decoded("68 12 90 78 56 34 12 68 D1 01 35 8D 16"), asked).value();
    CHECK(refused == Answer{Refused{error_bit::no_such_data}});
    CHECK(to_string(std::get<Refused>(refused)) == "no such data");
    Frame answer{
        .address = meter, .function = Function::read, .from_meter = true, .data = {0, 0, 1, 0, 1, 2, 3, 4}};
    CHECK(take_answer(answer, asked));
    const auto fault = [&](auto change) {
        Frame changed = answer;
        change(changed);
        return take_answer(changed, asked).error().fault;
    };
    CHECK(fault([](Frame& f) { f.address[5] ^= 1; }) == Fault::unexpected);
    CHECK(fault([](Frame& f) { f.function = Function::freeze; }) == Fault::unexpected);
    CHECK(fault([](Frame& f) { f.from_meter = false; }) == Fault::unexpected);
    CHECK(fault([](Frame& f) { f.data[2] = 2; }) == Fault::unexpected);
    CHECK(fault([](Frame& f) { f.data.resize(3); }) == Fault::truncated);
    const Frame next = read_next(meter, forward_total, 2);
    answer.function = Function::read_next;
    answer.data = {0, 0, 1, 0, 9, 9, 2};
    answer.more_follows = true;
    CHECK(take_answer(answer, next).value() == Answer{ReadData{{9, 9}, true}});
    answer.data.back() = 3;
    CHECK(take_answer(answer, next).error().fault == Fault::unexpected);
}

TEST_CASE("645: numbers that are none, negative ones, and those that are not BCD", "[dlt645]") {
    const Item& currents = *find_item(0x0202FF00);
    const auto values = decode_values(currents, hex("005080 EEEEEE FFFFFF 123456")).value();
    REQUIRE(values.size() == 3);
    CHECK(values[0] == Approx(-5.0));  // 80 50 00: the top bit is the sign
    CHECK_FALSE(values[1]);
    CHECK_FALSE(values[2]);
    CHECK(decode_values(currents, hex("0A0000")).error() == Error{Fault::bad_value, 0});
    CHECK(decode_values(currents, hex("0100")).error().fault == Fault::truncated);
    for (const DataId id : {0x00010000U, 0x0001FF00U, 0x0201FF00U, 0x0202FF00U, 0x0203FF00U, 0x02800002U}) {
        const Item& item = *find_item(id);
        std::vector<std::optional<double>> sent;
        for (std::size_t i = 0; i < item.quantities.size(); ++i)
            sent.emplace_back(i == 1 ? std::nullopt : std::optional{10.0 * static_cast<double>(i + 1)});
        const auto back = decode_values(item, encode_values(item, sent)).value();
        REQUIRE(back.size() == sent.size());
        for (std::size_t i = 0; i < sent.size(); ++i) {
            CHECK(back[i].has_value() == sent[i].has_value());
            if (sent[i]) CHECK(*back[i] == Approx(*sent[i]));
        }
    }
}

TEST_CASE("645: frames are found in every chunking, between noise and inside broken ones", "[dlt645]") {
    const Frame asked = read(meter, forward_total);
    Buffer broken = encode(asked, 0);
    broken[broken.size() - 2] ^= 1;
    Buffer stream = hex("00 68 FE 16 68");
    for (const Buffer& part : {encode(asked), broken, encode(asked, 1), hex("FE FE"), encode(asked, 0)})
        stream.insert(stream.end(), part.begin(), part.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        Decoder decoder;
        int found = 0;
        for (std::size_t i = 0; i < stream.size(); i += size) {
            decoder.feed(Bytes{stream}.subspan(i, std::min(size, stream.size() - i)));
            while (const auto frame = decoder.next()) {
                CHECK(*frame == asked);
                ++found;
            }
        }
        CHECK(found == 3);
        CHECK_FALSE(decoder.partial());
        CHECK(decoder.refused() >= 1);
    }
    for (std::size_t cut = 0; cut + 1 < stream.size(); ++cut) {
        Decoder decoder;
        decoder.feed(Bytes{encode(asked, 0)}.first(std::min<std::size_t>(cut, 15)));
        CHECK_FALSE(decoder.next());
        decoder.silence();
        CHECK_FALSE(decoder.partial());
    }
}

TEST_CASE("645: addresses with wildcards, and for everybody", "[dlt645]") {
    const auto number = DeviceNumber::parse("123456789012").value();
    CHECK(is_for(meter, number));
    CHECK(is_for(any_address, number));
    CHECK(is_for(broadcast_address, number));
    CHECK(is_for({0xAA, 0xAA, 0xAA, 0xAA, 0x90, 0x12}, number));
    CHECK_FALSE(is_for({0xAA, 0xAA, 0xAA, 0xAA, 0x90, 0x13}, number));
}
