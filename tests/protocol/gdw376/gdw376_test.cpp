// Frames: uplink fact sheet, sections 6.4 (captured from terminals) and 6.5 (built, checked).
#include <catch2/catch.hpp>

#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"

using namespace wattmesh;
using namespace wattmesh::gdw376;
using namespace std::chrono_literals;

namespace {

Buffer hex(std::string_view text) { return from_hex(text).value(); }
constexpr Address terminal{.area = 0x4403, .terminal = 0x1234, .group = false, .master = 2};
constexpr Address terminal_alone{.area = 0x4403, .terminal = 0x1234};
const Secret<16> no_password{std::array<std::uint8_t, 16>{}};

Frame decoded(std::string_view text) {
    Decoder decoder;
    decoder.feed(hex(text));
    auto frame = decoder.next();
    REQUIRE(frame);
    CHECK_FALSE(decoder.partial());
    CHECK(decoder.refused() == 0);
    return *std::move(frame);
}
std::string encoded(const Frame& frame) { return to_hex(encode(frame)); }
std::string plain(std::string_view text) { return to_hex(hex(text)); }
WallTime at(int year, unsigned month, unsigned day, std::uint8_t hour = 0, std::uint8_t minute = 0,
            std::uint8_t second = 0) {
    return {std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day), hour, minute, second};
}

// clang-format off
const char* const captured[]{
    "68 32 00 32 00 68 C9 00 02 34 12 00 02 71 00 00 01 00 85 16",
    "68 32 00 32 00 68 C9 00 02 34 12 00 02 71 00 00 04 00 88 16",
    "68 32 00 32 00 68 0B 00 02 34 12 00 00 61 00 00 01 00 B5 16",
    "68 32 00 32 00 68 0B 33 17 27 30 00 00 6D 00 00 04 00 1D 16",
    "68 4A 00 4A 00 68 00 04 44 61 06 00 00 6A 00 00 03 00 02 00 00 01 00 00 1F 16",
    "68 32 00 32 00 68 C9 71 01 22 08 00 02 71 00 00 02 00 DA 16",
    "68 8A 00 8A 00 68 41 00 02 34 12 04 01 F0 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 28 53 13 07 05 19 16",
    "68 52 00 52 00 68 A0 00 02 34 12 04 00 E0 00 00 01 00 11 00 00 27 52 13 07 05 76 16",
    "68 E2 00 E2 00 68 4B 00 02 34 12 04 10 E0 00 00 01 00 1F 6B BC 0A 10 00 68 61 10 01 30 12 15 68 11 04 33 33 34 33 7B 16 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 13 51 23 21 05 A1 16",
    "68 AE 00 AE 00 68 A8 00 02 34 12 04 10 E0 00 00 01 00 1F 14 00 68 61 10 01 30 12 15 68 91 08 33 33 34 33 AB 39 33 33 49 16 4F 00 00 06 50 23 21 05 AE 16",
    "68 4A 00 4A 00 68 4B 71 01 22 08 02 0C E2 01 01 01 10 02 39 19 16 28 00 7C 16",
    "68 C6 00 C6 00 68 88 71 01 22 08 02 0C A2 01 01 01 10 18 16 28 08 18 04 00 01 00 00 00 EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE EE 02 39 19 16 28 00 8C 16",
    "68 56 00 56 00 68 4B 71 01 22 08 02 0D E5 01 01 01 00 27 08 18 05 05 34 16 28 00 A1 16",
    "68 52 00 52 00 68 4B 71 01 22 08 02 0D E9 01 01 01 02 07 18 09 48 43 16 28 00 D5 16",
    "68 CA 00 CA 00 68 C4 00 10 01 00 00 0E 61 00 00 01 00 14 0B 13 14 34 20 36 09 15 04 15 02 00 01 02 03 03 03 03 03 03 44 44 11 11 22 22 33 33 44 44 44 55 55 55 66 66 66 B4 16",
    "68 4A 00 4A 00 68 CB 91 91 04 00 00 0C 64 00 00 02 00 00 39 07 17 43 15 12 16",
};
// clang-format on

}  // namespace

TEST_CASE("376.1: what terminals sent is read and written again octet for octet", "[gdw376]") {
    for (const char* const text : captured) {
        INFO(text);
        CHECK(encoded(decoded(text)) == plain(text));
    }
}

TEST_CASE("376.1: frames are found in every chunking, between noise, inside broken ones", "[gdw376]") {
    Buffer stream = hex("FE FE 68 00 16 68 32 00 33 00 68"), broken = hex(captured[0]);
    broken[18] ^= 1;
    for (const Buffer& part : {hex(captured[0]), broken, hex(captured[11]), hex("FE"), hex(captured[1])})
        stream.insert(stream.end(), part.begin(), part.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        Decoder decoder;
        std::vector<std::string> found;
        for (std::size_t i = 0; i < stream.size(); i += size) {
            decoder.feed(Bytes{stream}.subspan(i, std::min(size, stream.size() - i)));
            while (const auto frame = decoder.next()) found.push_back(encoded(*frame));
        }
        CHECK(found == std::vector{plain(captured[0]), plain(captured[11]), plain(captured[1])});
        CHECK(decoder.refused() == 1);
    }
    for (std::size_t cut = 0; cut < hex(captured[8]).size(); ++cut) {
        Decoder decoder;
        decoder.feed(Bytes{hex(captured[8])}.first(cut));
        CHECK_FALSE(decoder.next());
    }
    Decoder small{200};
    small.feed(hex("68 02 20 02 20 68"));  // 2048 octets of user data
    CHECK_FALSE(small.next());
    CHECK(small.refused() == 1);
}

TEST_CASE("376.1: log-in, heartbeat, acknowledgements", "[gdw376]") {
    CHECK(encoded(link_frame(terminal_alone, LinkItem::heartbeat, 1)) ==
          plain("68 32 00 32 00 68 C9 03 44 34 12 00 02 71 00 00 04 00 CD 16"));
    CHECK(encoded(link_frame(terminal_alone, LinkItem::logout, 2)) ==
          plain("68 32 00 32 00 68 C9 03 44 34 12 00 02 72 00 00 02 00 CC 16"));
    const Frame login = decoded("68 32 00 32 00 68 C9 03 44 34 12 00 02 70 00 00 01 00 C9 16");
    CHECK(login.address == terminal_alone);
    CHECK(to_string(login.address) == "4403-1234");
    CHECK(link_item(login) == LinkItem::login);
    CHECK(
        link_item(decoded("68 4A 00 4A 00 68 C9 03 44 34 12 00 02 71 00 00 04 00 30 25 14 22 B1 24 2D 16")) ==
        LinkItem::heartbeat);
    CHECK(encoded(confirm(login, true)) ==
          plain("68 32 00 32 00 68 0B 03 44 34 12 00 00 60 00 00 01 00 F9 16"));
    CHECK(encoded(confirm(login, false)) ==
          plain("68 32 00 32 00 68 0B 03 44 34 12 00 00 60 00 00 02 00 FA 16"));

    CHECK(decode_confirmation(decoded(captured[2]))->accepted());
    CHECK(decode_confirmation(decoded(captured[3]))->accepted());
    CHECK(decode_confirmation(decoded(captured[4]))->accepted());  // DT 03 for F3
    CHECK_FALSE(decode_confirmation(confirm(login, false))->accepted());
    const auto each = decode_confirmation(
        decoded("68 4A 00 4A 00 68 0B 03 44 34 12 00 00 60 00 00 04 00 02 00 00 01 00 00 FF 16"));
    CHECK(each->errors == std::vector<std::uint8_t>{0});
    CHECK(decode_confirmation(login).error().fault == Fault::unexpected);
}

TEST_CASE("376.1: points and items, also those where a group of eight ends", "[gdw376]") {
    const auto octets = [](UnitHead head) {
        Writer out;
        encode(out, head);
        const Buffer made = out.take();
        Reader in{made};
        CHECK(decode_unit_head(in) == head);
        CHECK(in.ok());
        return to_hex(made);
    };
    CHECK(octets({.items = {129}}) == "00000110");
    CHECK(octets({.items = {25}}) == "00000103");
    CHECK(octets({.items = {167}}) == "00004014");
    CHECK(octets({.items = {31}}) == "00004003");
    CHECK(octets({.items = {10}}) == "00000201");
    CHECK(octets({.points = {1}, .items = {1}}) == "01010100");
    CHECK(octets({.points = {8}, .items = {8}}) == "80018000");
    CHECK(octets({.points = {9}, .items = {9}}) == "01020101");
    CHECK(octets({.points = {16}, .items = {16}}) == "80028001");
    CHECK(octets({.points = {2'040}, .items = {248}}) == "80FF801E");
    CHECK(octets({.points = {1, 3}, .items = {2, 3}}) == "05010600");
    CHECK(octets({.points = {}, .items = {1}, .all_points = true}) == "FF000100");
    for (const char* wrong : {"00010100", "01000100", "01010000", "0101011F", "010101"}) {
        const Buffer octets_of = hex(wrong);
        Reader in{octets_of};
        decode_unit_head(in);
        CHECK_FALSE(in.ok());
    }
}

TEST_CASE("376.1: requests as the sheet has them", "[gdw376]") {
    CHECK(encoded(request(terminal, Afn::class_1, {.items = {2}}, 1)) ==
          plain("68 32 00 32 00 68 4A 03 44 34 12 04 0C 61 00 00 02 00 4A 16"));
    Frame energies = request(terminal, Afn::class_1, {.points = {2}, .items = {129}}, 3);
    energies.function = function::request_class_2;  // this master asks so, and terminals take both
    CHECK(encoded(energies) == plain("68 32 00 32 00 68 4B 03 44 34 12 04 0C 63 02 01 01 10 5F 16"));
    CHECK(encoded(request_day(terminal, 2, 1, at(2024, 11, 21), 4)) ==
          plain("68 3E 00 3E 00 68 4B 03 44 34 12 04 0D 64 02 01 01 00 21 11 24 A7 16"));
    CHECK(encoded(request_curve(terminal, 2, 81, at(2024, 11, 21), 15min, 96, 5)) ==
          plain("68 4E 00 4E 00 68 4B 03 44 34 12 04 0D 65 02 01 01 0A 00 00 21 11 24 01 60 13 16"));
    Frame clock = set_clock(terminal, at(2024, 11, 22, 14, 25, 30), no_password, 6);
    clock.confirm = true;
    CHECK(encoded(clock) ==
          plain("68 8A 00 8A 00 68 4A 03 44 34 12 04 05 76 00 00 40 03 30 25 14 22 B1 24 00 00 00 00 "
                "00 00 00 00 00 00 00 00 00 00 00 00 F9 16"));
}

TEST_CASE("376.1: energies and clocks, and EE for what the terminal has not", "[gdw376]") {
    const auto read = [](std::string_view text) { return decode_measurements(decoded(text)).value(); };
    CHECK(read("68 4A 00 4A 00 68 88 03 44 34 12 04 0C 61 00 00 02 00 30 25 14 22 B1 24 E8 16") ==
          std::vector<Measurement>{TerminalClock{at(2024, 11, 22, 14, 25, 30)}});
    CHECK(std::get<TerminalClock>(read(captured[15]).at(0)).time == at(2015, 3, 17, 7, 39, 0));
    const auto built =
        std::get<Reading>(read("68 AE 00 AE 00 68 88 03 44 34 12 04 0C 63 02 01 01 10 10 30 22 11 24 04 "
                               "78 56 34 12 00 00 10 00 03 00 00 20 00 04 00 00 20 00 05 00 78 06 34 00 "
                               "00 59 16")
                              .at(0));
    CHECK(built.point == 2);
    CHECK_FALSE(built.read);  // it has minutes and hours changed: 30 hours do not exist
    REQUIRE(built.values.size() == 5);
    CHECK(built.values[0].quantity == obis::active_import_total);
    const double expected[]{1'234'567.8, 300'100.0, 400'200.0, 500'200.0, 34'067.8};
    for (std::size_t i = 0; i < 5; ++i) CHECK(*built.values[i].value == Approx(expected[i]));
    const auto seen = std::get<Reading>(read(captured[11]).at(0));
    CHECK(seen.read == at(2018, 8, 28, 16, 18));
    CHECK(*seen.values.at(0).value == Approx(10.0));
    for (std::size_t i = 1; i < 5; ++i) CHECK_FALSE(seen.values.at(i).value);
}

TEST_CASE("376.1: every value that a terminal sends comes back", "[gdw376]") {
    const auto reading = [](std::uint16_t item, std::optional<WallTime> frozen, std::size_t groups,
                            std::size_t each) {
        Reading out{9, item, frozen, at(2026, 11, 22, 0, 5), {}};
        for (std::size_t i = 0; i < groups * each; ++i)
            out.values.push_back(
                {{}, i % 3 == 2 ? std::nullopt : std::optional{100.0 * static_cast<double>(i % 7)}});
        return out;
    };
    std::vector<std::pair<Afn, Measurement>> all{
        {Afn::class_1, TerminalClock{at(2026, 2, 28, 23, 59, 59)}},
        {Afn::class_1, reading(33, {}, 4, 5)},
        {Afn::class_1, reading(34, {}, 4, 1)},
        {Afn::class_1, reading(129, {}, 1, 5)},
        {Afn::class_2, reading(1, at(2026, 11, 21), 4, 5)},
        {Afn::class_2, reading(2, at(2026, 11, 21), 4, 3)},
        {Afn::class_2, reading(17, at(2026, 10, 1), 4, 5)},
        {Afn::class_2, reading(18, at(2026, 10, 1), 4, 5)},
        {Afn::class_2, reading(161, at(2026, 11, 21), 1, 5)},
        {Afn::class_2, reading(177, at(2026, 10, 1), 1, 5)},
        {Afn::class_2, LoadCurve{9, 82, {}, at(2026, 11, 21), 15min, {1'500.0, std::nullopt, -250.0}}},
    };
    for (const auto& [afn, sent] : all) {
        Writer out;
        encode(out, sent);
        Frame frame;
        frame.from_terminal = true;
        frame.afn = afn;
        frame.units = out.take();
        const auto back = decode_measurements(frame).value();
        REQUIRE(back.size() == 1);
        if (const auto* curve = std::get_if<LoadCurve>(&sent)) {
            const auto& got = std::get<LoadCurve>(back[0]);
            CHECK(got.quantity == ObisCode{{1, 0, 36, 7, 0, 255}});
            CHECK(got.values == curve->values);
            CHECK(got.step == curve->step);
        } else if (const auto* want = std::get_if<Reading>(&sent)) {
            const auto& got = std::get<Reading>(back[0]);
            CHECK(got.frozen == want->frozen);
            CHECK(got.read == want->read);
            REQUIRE(got.values.size() == want->values.size());
            for (std::size_t i = 0; i < got.values.size(); ++i)
                CHECK(got.values[i].value == want->values[i].value);
        } else {
            CHECK(back[0] == sent);
        }
        for (std::size_t cut = 5; cut < frame.units.size(); ++cut) {
            Frame shorter = frame;
            shorter.units.resize(cut);
            CHECK_FALSE(decode_measurements(shorter));
        }
    }
}

TEST_CASE("376.1: powers of now have each the place that the clause gives them", "[gdw376]") {
    Writer out;
    encode(out, UnitHead{.points = {1}, .items = {25}});
    write_a15(out, at(2026, 11, 22, 10, 0));
    for (int i = 1; i <= 8; ++i)
        write_number(out, a9, i * 1'000.0, 1'000);   // active, reactive: total and phases
    for (int i = 0; i < 4; ++i) out.u16_le(0x0950);  // 95.0 %
    for (int i = 0; i < 3; ++i) out.u16_le(0x2305);
    for (int i = 0; i < 4; ++i) out.u8(0x50).u8(0x12).u8(0x00);
    for (int i = 9; i <= 12; ++i) write_number(out, a9, i * 1'000.0, 1'000);
    Frame frame;
    frame.from_terminal = true;
    frame.afn = Afn::class_1;
    frame.units = out.take();
    CHECK(frame.units.size() == 4 + 67);
    const auto read = std::get<Reading>(decode_measurements(frame).value().at(0));
    const auto value = [&](std::uint8_t c) {
        for (const auto& v : read.values)
            if (v.quantity == ObisCode{{1, 0, c, 7, 0, 255}}) return v.value.value();
        FAIL("no such quantity");
        return 0.0;
    };
    CHECK(value(16) == 1'000);
    CHECK(value(76) == 4'000);
    CHECK(value(3) == 5'000);
    CHECK(value(13) == Approx(0.95));
    CHECK(value(32) == Approx(230.5));
    CHECK(value(31) == Approx(1.25));
    CHECK(value(69) == 12'000);
}

TEST_CASE("376.1: an item of unknown length ends the reading of a frame, and says so", "[gdw376]") {
    Frame frame;
    frame.from_terminal = true;
    frame.afn = Afn::class_1;
    frame.units = hex("00000002 00");  // F17 of class 1
    CHECK(decode_measurements(frame).error() == Error{Fault::bad_value, 2});
    frame.units = hex("00000102 00");
    CHECK(decode_measurements(frame).error() == Error{Fault::unsupported, 0});
    frame.afn = Afn::class_3;
    CHECK(decode_measurements(frame).error().fault == Fault::unexpected);
}

TEST_CASE("376.1: frames to meters and back, of 645 and of HDLC", "[gdw376]") {
    RelayRequest to_meter{.port = 31,
                          .serial = {},
                          .answer_timeout = 30s,
                          .octets = hex("68 12 90 78 56 34 12 68 11 04 33 33 34 33 68 16")};
    const char* const built =
        "68 CA 00 CA 00 68 4B 03 44 34 12 04 10 66 00 00 01 00 1F 6B 9E 0A 10 00 68 12 90 78 56 34 12 68 11 "
        "04 33 33 34 33 "
        "68 16 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7B 16";
    const Frame asked = relay(terminal, to_meter, no_password, 6);
    CHECK(encoded(asked) == plain(built));
    CHECK(decode_relay_request(decoded(built)).value() == to_meter);
    const char* const answered =
        "68 8E 00 8E 00 68 88 03 44 34 12 04 10 66 00 00 01 00 1F 14 00 68 12 90 78 56 34 12 68 91 08 33 33 "
        "34 33 89 67 45 "
        "33 54 16 81 16";
    const RelayAnswer answer{31, hex("68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16")};
    CHECK(decode_relay_answer(decoded(answered)).value() == answer);
    CHECK(encoded(relay_answer(asked, answer)) == plain(answered));
    to_meter.serial = {9'600, 8, 1, SerialSettings::Parity::none};
    to_meter.serial.parity = SerialSettings::Parity::even;
    to_meter.octets = hex("7E A0 07 03 61 93 69 47 7E");
    CHECK(encoded(relay(terminal, to_meter, no_password, 7)) ==
          plain("68 AE 00 AE 00 68 4B 03 44 34 12 04 10 67 00 00 01 00 1F CB 9E 0A 09 00 7E A0 07 03 61 93 "
                "69 47 7E 00 00 "
                "00 00 00 00 00 00 00 00 00 00 00 00 00 00 39 16"));
    CHECK(decode_relay_request(decoded(captured[8])).value().answer_timeout == 60s);
    CHECK(decode_relay_answer(confirm(asked, false)).error().fault == Fault::refused);
}
