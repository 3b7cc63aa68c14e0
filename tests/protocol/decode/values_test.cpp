#include <catch2/catch.hpp>
#include <random>

#include "protocol/decode/describe.h"
#include "protocol/decode/hex_text.h"
#include "protocol/decode/printable.h"
#include "protocol/dlms/access.h"
#include "protocol/dlms/apdu.h"
#include "tests/protocol/dlms/vectors.h"

#include <Poco/JSON/Parser.h>

using namespace wattmesh;
using namespace wattmesh::decode;
using dlms::test::octets;
using dlms::test::vector;

// Tags and layouts: Green Book ed. 10, 9.5; date-times and units: Blue Book ed. 14, 4.1.6.1 and 4.3.2.
TEST_CASE("describe: says values in words", "[sim]") {
    struct Row {
        const char* hex;
        const char* line;
    };
    const auto row = GENERATE(values<Row>({
        {"00", "null"},
        {"0301", "boolean true"},
        {"0412ABCD80", "bit-string(18) 101010111100110110"},
        {"05FFFFFFFE", "int32 -2"},
        {"0A03414243", "visible-string(3) \"ABC\""},
        {"0A031B5B41", "visible-string(3) \"\\x1B[A\""},
        {"0C02C3A9", "utf8-string(2) \"\xC3\xA9\""},
        {"0C02C29B", "utf8-string(2) \"\\xC2\\x9B\""},
        {"0F80", "int8 -128"},
        {"14FFFFFFFFFFFFFFFF", "int64 -1"},
        {"15FFFFFFFFFFFFFFFF", "uint64 18446744073709551615"},
        {"1742280000", "float32 42"},
        {"1CFF", "delta-int8 -1"},
        {"FF", "dont-care"},
        {"09060100010800FF", "octet-string(6) 1-0:1.8.0*255 Active energy import"},
        {"0908574D540000000001", "octet-string(8) 574D540000000001"},
        {"02020FFF1623", "structure {int8 -1, enum 35} = x10^-1 V"},
        {"02020F0016FF", "structure {int8 0, enum 255} = x10^0 (no unit)"},
        {"0202120903"
         "02020FFF1623",
         "structure {uint16 2307, {int8 -1, enum 35} = x10^-1 V} = 230.7 V"},
        {"020210FFFB"
         "02020FFE1623",
         "structure {int16 -5, {int8 -2, enum 35} = x10^-2 V} = -0.05 V"},
        {"0202110502020F03161E", "structure {uint8 5, {int8 3, enum 30} = x10^3 Wh} = 5000 Wh"},
        {"1A07E30C1F02", "date 2019-12-31 Tue"},
        {"1AFFFF03FE07", "date last Sun of March, any year"},
        {"1AFFFFFFFFFF", "date any date"},
        {"1B173B0000", "time 23:59:00"},
        {"1B02FFFFFF", "time 02:--:-- (-- is any)"},
        {"19FFFFFEFE0702000000800000",
         "date-time last Sun of the month daylight saving begins, any year at 02:00:00, zone not given"},
        {"1907EA0B1601101020FFFF8881",
         "date-time 2026-11-22T16:16:32+02:00 Mon (that day is a Sun), invalid, daylight saving"},
        {"1907E3021EFF000000000000FF",
         "date-time 2019-02-30T00:00:00+00:00 (there is no such day), status not given"},
        {"1907E30D1EFF000000000000FF", "date-time 07E30D1EFF000000000000FF"},
        {"0101"
         "0101"
         "0100",
         "array [[[]]]"},
    }));
    CAPTURE(row.hex);
    const Report report = describe(octets(row.hex), {.form = Form::data});
    CHECK(report.text() == "0000  " + std::string{row.line} + "\n");
    CHECK(report.whole());
}

TEST_CASE("describe: bounds what it prints and what it takes", "[sim]") {
    Buffer many = octets("018203E8");
    for (int i = 0; i < 1000; ++i) many.insert(many.end(), {0x11, static_cast<std::uint8_t>(i)});
    const Report some = describe(many, {.form = Form::data});
    CHECK(some.whole());
    CHECK(some.lines().size() == 19);
    CHECK_THAT(some.text(),
               Catch::Contains("... 983 more (--all prints them)") && Catch::Contains("1000: uint8 231"));
    CHECK(describe(many, {.form = Form::data, .all = true}).lines().size() == 1001);

    Buffer deep;
    for (int i = 0; i < 17; ++i) deep.insert(deep.end(), {0x01, 0x01});
    deep.push_back(0x00);
    const Report nested = describe(deep, {.form = Form::data});
    CHECK(nested.findings().at(0).fault == Fault::too_deep);
    CHECK(nested.findings().at(0).offset == 32);

    // A structure of arrays of 65535 null-data each: no octets for any number of elements.
    for (const char* bomb : {"1301FFFF0005AABBCCDDEE", "1302020001FFFF00020000", "018401000000"}) {
        const Report report = describe(octets(bomb), {.form = Form::data});
        CAPTURE(bomb, report.text());
        CHECK_FALSE(report.whole());
        CHECK_FALSE(dlms::decode_data(octets(bomb)));
    }
    // general-block-transfer in itself, again and again.
    Buffer onion = octets("6203800100");
    for (std::uint8_t i = 0; i < 30; ++i) {
        const auto size = static_cast<std::uint8_t>(onion.size());
        if (size >= 0x80)
            onion.insert(onion.begin(), size), onion.insert(onion.begin(), 0x81);
        else
            onion.insert(onion.begin(), size);
        const Buffer head = octets("E08000010000");
        onion.insert(onion.begin(), head.begin(), head.end());
        if (onion.size() > 240) break;
    }
    CHECK_FALSE(describe(onion).whole());
}

namespace {

/// What the decoder of the stack says: nothing, or its fault. Blocks are left out: here their content counts.
std::optional<Error> stack_error(Bytes apdu) {
    const auto error = [](const auto& result) {
        return result ? std::nullopt : std::optional{result.error()};
    };
    switch (apdu[0]) {
        case 0xC0:
        case 0xC1:
        case 0xC3:
            return error(dlms::decode_request(apdu));
        case 0xC4:
        case 0xC5:
        case 0xC7:
            return error(dlms::decode_response(apdu));
        case 0xC2:
            return error(dlms::decode_event_notification(apdu));
        case 0x0F:
            return error(dlms::decode_data_notification(apdu));
        case 0xD8:
            return error(dlms::decode_exception(apdu));
        case 0xD9:
            return error(dlms::decode_access_request(apdu));
        default:
            return error(dlms::decode_access_response(apdu));
    }
}
bool is_block(Bytes apdu) {
    const std::uint8_t tag = apdu[0], choice = apdu[1];
    return (tag == 0xC4 && choice == 2) || (tag == 0xC7 && choice == 2) || (tag == 0xC3 && choice > 3) ||
           (tag == 0xC1 && (choice == 2 || choice == 3 || choice == 5));
}

}  // namespace

TEST_CASE("describe: accepts what the decoders accept and refuses what they refuse", "[sim]") {
    int compared = 0;
    for (const char* id : {"GET-1",     "GETR-1", "GETR-1e", "GETL-1", "GETLR-1", "GET-RNG", "GET-ENT",
                           "GETR-PROF", "SET-1",  "SETR-1",  "SETL-1", "SETLR-1", "ACT-HLS", "ACT-HLSR",
                           "ACTR-e",    "EXC-1",  "EXC-ic",  "DN-2",   "EN-1",    "ACC-1"}) {
        const Buffer message = vector(id);
        for (std::size_t i = 1; i < message.size(); ++i)
            for (const unsigned change : {0x01U, 0x02U, 0x10U, 0x80U, 0xFFU}) {
                Buffer changed = message;
                changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
                if (is_block(changed)) continue;
                const Report report = describe(changed, {.form = Form::apdu});
                CAPTURE(id, i, change, report.text());
                CHECK(report.whole() == !stack_error(changed));
                ++compared;
            }
    }
    CHECK(compared > 2'000);
}

TEST_CASE("describe: never fails on random octets", "[sim]") {
    const auto seed = GENERATE(1U, 2U, 3U);
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int i = 0; i < 400; ++i) {
        Buffer message(random() % 60);
        for (auto& octet : message) octet = static_cast<std::uint8_t>(random());
        for (const char* start : {"7EA0", "00010001", "680A0A68", "E0800001", "60", "DB08", "0101", "13"}) {
            Buffer begun = octets(start);
            begun.insert(begun.end(), message.begin(), message.end());
            const Report report = describe(begun);
            CHECK_FALSE(report.lines().empty());
        }
    }
}

TEST_CASE("describe: its JSON lines parse and hold offset, depth and text", "[sim]") {
    Buffer message = vector("GETLR-1");
    message.back() = 0;
    message.push_back(0x22);
    std::istringstream lines{describe(message).json()};
    std::string line;
    int parsed = 0, errors = 0;
    while (std::getline(lines, line)) {
        const auto object = Poco::JSON::Parser{}.parse(line).extract<Poco::JSON::Object::Ptr>();
        ++parsed;
        if (!object->has("error")) {
            CHECK(object->has("depth"));
            continue;
        }
        ++errors;
        CHECK(object->getValue<std::string>("error") == "trailing");
        CHECK(object->getValue<int>("offset") == 38);
        CHECK(object->getValue<std::string>("in") == "get-response-with-list");
    }
    CHECK(parsed == 6);
    CHECK(errors == 1);
}

TEST_CASE("hexadecimal: takes it as people paste it, and names what is wrong", "[sim]") {
    for (const char* text : {"C0 01 c1", "C001C1", "0xC0, 0x01, 0xC1", "c0:01:c1", "C0-01-C1\n",
                             "\tC0\r\n01 C1 ", "0xC001C1", "$C0 $01 $C1"})
        CHECK(read_hex(text).octets == octets("C001C1"));
    CHECK(read_hex("").octets.empty());
    CHECK_THAT(read_hex("C0 0").wrong, Catch::Contains("octet 1") && Catch::Contains("one digit"));
    CHECK_THAT(read_hex("C0 0g").wrong, Catch::Contains("'g'") && Catch::Contains("octet 1"));
    CHECK_THAT(read_hex("C0 \x1B").wrong, Catch::Contains("'\\x1B'"));
}
