// Frames: uplink fact sheet 9 (a published capture of a Kaifa MA309 and one of wmbusmeters).
#include <catch2/catch.hpp>

#include "protocol/link/mbus.h"
#include "security/ciphers.h"

namespace wattmesh::link {
namespace {

using namespace std::chrono_literals;
constexpr Instant start{1'000s};

Buffer hex(std::string_view text) { return from_hex(text).value(); }

const char* const kaifa_1 =
    "68FAFA6853FF000167DB084B464D10100000238201092100295B9AEFC1546E644A2C9E32EDD42CBD0F1B945B194D086885C4D8DF"
    "86DD"
    "52CB5B448854A6D548D5D270739B2A169D05B013F9015070089D3C5FA45CA05E92309A645CC83D7DA40FBC8F4CF9C225AFA69A25"
    "FF0B"
    "2AC9C2744550ABA53CE9143FD10B0AD85FD30BD6B6DFFEE65F8204DC9C5067CA73B62E299A39D50AA730B2B9AE3836BC2F3490FB"
    "41BE"
    "5B6F930D84952976369DD7DABBB5A4354AECA1D2486CFF2EB0C6206380BA501D122AF75D716D3092C3960506A15E06FAB0EE5B7D"
    "FA3C"
    "2CDF0CAFD051B88E44B8B9FB8865F20CB89D1143CDC7EFEB07FB4C4898E764E9E3A32DDC3D1F0F16";
const char* const kaifa_2 =
    "6826266853FF110167B46961CE962B2C78050C96598C7E4D26658043F9CBCA78189BD01B139F8AE0F7391116";

/// The APDU of the capture: general-glo-ciphering, title of Kaifa, length 265, SC 21.
Buffer kaifa_apdu() {
    Buffer apdu = hex(kaifa_1);
    apdu = Buffer(apdu.begin() + 9, apdu.end() - 2);
    const Buffer rest = hex(kaifa_2);
    apdu.insert(apdu.end(), rest.begin() + 9, rest.end() - 2);
    return apdu;
}

Buffer segment(std::uint8_t ci, const char* apdu, const char* saps = "0167") {
    return encode_mbus({0x53, 0xFF, ci, hex(std::string{saps} + apdu)});
}

}  // namespace

TEST_CASE("mbus: the published push of a Kaifa meter joins to its APDU, at every chunking", "[link]") {
    Buffer stream = hex(kaifa_1);
    const Buffer second = hex(kaifa_2);
    stream.insert(stream.end(), second.begin(), second.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        CAPTURE(size);
        MbusPushReceiver line{{}};
        for (std::size_t at = 0; at < stream.size(); at += size)
            line.feed(Bytes{stream}.subspan(at, std::min(size, stream.size() - at)), start);
        const auto push = line.take();
        REQUIRE(push);
        CHECK(push->source == 0x01);
        CHECK(push->destination == 0x67);
        CHECK(push->apdu.size() == 245 + 33);
        CHECK(to_hex(push->apdu).substr(0, 38) ==
              "DB084B464D1010000023820109"
              "2100295B9AEF");
        CHECK(push->apdu == kaifa_apdu());
        CHECK_FALSE(line.take());
        CHECK_FALSE(line.partial());
    }
}

TEST_CASE("mbus: what was joined opens to the published plain text", "[link]") {
    MbusPushReceiver line{{}};
    line.feed(hex(kaifa_1), start);
    line.feed(hex(kaifa_2), start + 100ms);
    Buffer apdu = line.take().value().apdu;
    // DB, title of 8, length 82 0109, SC 21, IC; encrypted only, so there is no tag: sealing once more undoes
    // it.
    REQUIRE(to_hex(Bytes{apdu}.first(2)) == "DB08");
    REQUIRE(to_hex(Bytes{apdu}.subspan(10, 4)) == "82010921");
    Buffer nonce(apdu.begin() + 2, apdu.begin() + 10);
    nonce.insert(nonce.end(), apdu.begin() + 14, apdu.begin() + 18);
    security::OpensslCiphers ciphers;
    const auto aead = ciphers.aead(Key128::from(hex("101112131415161718191A1B1C1D1E1F")).value());
    const std::span<std::uint8_t> text = std::span{apdu}.subspan(18);
    std::array<std::uint8_t, 16> unused{};
    aead->seal(nonce, {}, text, unused);
    const std::string plain =
        "0F0029B2DC0C07E50713010F2E2300FF8880020C09060000010000FF090C07E50713010F2E2300FF8880"
        "020209060000600100FF090E314B464D30313030303030303335";  // ... "1KFM0100000035"
    CHECK(to_hex(text).substr(0, plain.size()) == plain);
    CHECK(to_hex(text).find("09060100010800FF060000239402020F00161E") != std::string::npos);  // 9108 Wh
}

TEST_CASE("mbus: the two frames encode from the APDU as the meter cuts it", "[link]") {
    const auto frames = encode_mbus_push({0x01, 0x67, kaifa_apdu()}, 245);
    REQUIRE(frames.size() == 2);
    CHECK(to_hex(frames[0]) == kaifa_1);
    CHECK(to_hex(frames[1]) == kaifa_2);
}

TEST_CASE("mbus: a long frame decodes to its fields and encodes to the same octets", "[link]") {
    const char* const select = "680B0B6853FD5275404810FFFFFFFFAB16";
    const auto frame = decode_mbus(hex(select));
    REQUIRE(frame);
    CHECK(*frame == MbusFrame{0x53, 0xFD, 0x52, hex("75404810FFFFFFFF")});
    CHECK(to_hex(encode_mbus(*frame)) == select);
    const Buffer answer =
        hex("68464668084A72447744772D2C3404060000000406CE86000004FF0734440200"
            "04FF08F8CE010004141168030004"
            "3B0F02000002593C19025DA41104FF220000000004A5FF21C7D027"
            "00D916");
    REQUIRE(decode_mbus(answer));
    CHECK(decode_mbus(answer)->ci == 0x72);
    MbusPushReceiver line{{}};
    line.feed(answer, start);
    CHECK(line.counters().refused_frames == 1);  // an answer to a poll is no push
}

TEST_CASE("mbus: refuses a malformed frame and says where", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"acknowledgement", "E5", {Fault::bad_tag, 0}},
        {"lengths differ", "680304685300001616", {Fault::bad_value, 2}},
        {"second start missing", "680303165300001616", {Fault::bad_tag, 3}},
        {"no room for C, A and CI",
         "680202685300"
         "5316",
         {Fault::bad_value, 1}},
        {"wrong checksum", "680303685300005416", {Fault::bad_checksum, 7}},
        {"no stop", "680303685300005317", {Fault::bad_tag, 8}},
        {"octets behind it", "68030368530000531600", {Fault::trailing, 9}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto frame = decode_mbus(hex(row.bytes));
        REQUIRE_FALSE(frame);
        CHECK(frame.error() == row.error);
    }
    const Buffer bytes = hex(kaifa_2);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        const auto part = decode_mbus(Bytes{bytes}.first(size));
        REQUIRE_FALSE(part);
        CHECK(part.error() == Error{Fault::truncated, size});
        MbusPushReceiver line{{}};
        line.feed(Bytes{bytes}.first(size), start);
        CHECK_FALSE(line.take());
    }
}

TEST_CASE("mbus: noise, polling and a broken frame in front cost only themselves", "[link]") {
    Buffer stream = hex("E5104001411668680303");
    const auto append = [&](const Buffer& bytes) { stream.insert(stream.end(), bytes.begin(), bytes.end()); };
    Buffer broken = segment(0x10, "AA");
    broken[broken.size() - 2] ^= 1U;
    append(broken);
    append(segment(0x10, "6868BB"));
    append(segment(0x10, "CC"));
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        CAPTURE(size);
        MbusPushReceiver line{{}};
        for (std::size_t at = 0; at < stream.size(); at += size)
            line.feed(Bytes{stream}.subspan(at, std::min(size, stream.size() - at)), start);
        CHECK(line.take()->apdu == hex("6868BB"));
        CHECK(line.take()->apdu == hex("CC"));
        CHECK_FALSE(line.take());
        CHECK(line.counters().refused_frames >= 1);
    }
}

TEST_CASE("mbus: a set that is not whole is dropped and counted, the next one is read", "[link]") {
    MbusPushReceiver line{{}};
    line.feed(segment(0x00, "A0"), start);
    SECTION("a segment is missing") {
        line.feed(segment(0x12, "A2"), start);
        CHECK(line.counters().out_of_order == 1);
    }
    SECTION("a segment comes twice") {
        line.feed(segment(0x01, "A1"), start);
        line.feed(segment(0x01, "A1"), start);
        line.feed(segment(0x12, "A2"), start);
        CHECK(line.counters().out_of_order == 2);  // the set, and what was left of it
    }
    SECTION("the rest comes after more than a second") {
        line.feed(segment(0x11, "A1"), start + 1'001ms);
        CHECK(line.counters().late == 1);
        CHECK(line.counters().out_of_order == 1);
    }
    SECTION("a new first segment") {
        line.feed(segment(0x00, "B0"), start);
        CHECK(line.counters().restarted == 1);
        line.feed(segment(0x12, "B2"), start);
    }
    SECTION("other service access points") {
        line.feed(segment(0x11, "A1", "0268"), start);
        CHECK(line.counters().out_of_order == 1);
    }
    CHECK_FALSE(line.take());
    line.feed(segment(0x00, "C0"), start + 3s);
    line.feed(segment(0x11, "C1"), start + 4s);  // exactly a second is in time
    CHECK(line.take() == MbusPush{0x01, 0x67, hex("C0C1")});
}

TEST_CASE("mbus: size of an APDU and the number that wait are bounded and counted", "[link]") {
    MbusPushReceiver line{{.apdu_size_max = 3, .waiting_max = 2}};
    line.feed(segment(0x00, "A0A1"), start);
    line.feed(segment(0x11, "A2A3"), start);
    CHECK(line.counters().oversized == 1);
    for (int i = 0; i < 3; ++i) line.feed(segment(0x10, "B0B1B2"), start);
    CHECK(line.counters().overflowed == 1);
    CHECK(line.take());
    CHECK(line.take());
    CHECK_FALSE(line.take());
}

}  // namespace wattmesh::link
