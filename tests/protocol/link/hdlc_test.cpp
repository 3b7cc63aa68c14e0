// Bytes with ids: dlms fact sheet 4 (Gurux, real meters); HDLC-PUSH: Iskra AM550, uplink fact sheet 4.
#include <catch2/catch.hpp>

#include "protocol/link/hdlc.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

std::vector<HdlcFrame> all_of(HdlcDecoder& decoder) {
    std::vector<HdlcFrame> frames;
    while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
    return frames;
}

constexpr HdlcAddress client{.upper = 16}, server{.upper = 1};

}  // namespace

TEST_CASE("hdlc: the vectors decode to what they say and encode to the same octets", "[link]") {
    struct Row {
        const char* id;
        const char* bytes;
        HdlcAddress to, from;
        std::uint8_t control;
        bool segmented;
        std::size_t size;
    };
    const HdlcAddress physical{.upper = 1, .lower = 17}, push{.upper = 103},
        push_wide{.upper = 103, .lower = 127};
    const auto row = GENERATE_COPY(values<Row>({
        {"SNRM-1", vector::snrm_1, server, client, 0x93, false, 0},
        {"SNRM-fact-sheet",
         "7EA0070361936947"
         "7E",
         server,
         {.upper = 48},
         0x93,
         false,
         0},
        {"UA-1", vector::ua_1, client, server, 0x73, false, 0},
        {"UA-2", vector::ua_2, client, server, 0x73, false, 21},
        {"SNRM-w3", vector::snrm_w3, server, client, 0x93, false, 15},
        {"SNRM-4", vector::snrm_4, physical, client, 0x93, false, 0},
        {"DISC-1", vector::disc_1, server, client, 0x53, false, 0},
        {"DM-1", vector::dm_1, client, server, 0x1F, false, 0},
        {"RR-2", vector::rr_2, server, client, 0x51, false, 0},
        {"RR-3", vector::rr_3, server, client, 0x71, false, 0},
        {"RR-4", vector::rr_4, server, client, 0x91, false, 0},
        {"I-AARQ", vector::i_aarq, server, client, 0x10, false, 34},
        {"I-AARE", vector::i_aare, client, server, 0x30, false, 51},
        {"I-GET", vector::i_get, server, client, 0x32, false, 16},
        {"I-GETR", vector::i_getr, client, server, 0x52, false, 45},
        {"SEG-1", vector::seg_1, client, server, 0x74, true, 125},
        {"SEG-2", vector::seg_2, client, server, 0x76, false, 101},
        {"UI-DN", vector::ui_dn, {.upper = 32, .lower = 0}, {.upper = 65}, 0x13, false, 0},
        {"HDLC-PUSH", vector::am550_push, push, {.upper = 1, .lower = 17}, 0x13, false, 35},
        {"UI-LG-GBT1", vector::ui_lg_gbt1, push_wide, {.upper = 1}, 0x13, false, 0},
    }));
    DYNAMIC_SECTION(row.id) {
        const Buffer bytes = from_hex(row.bytes).value();
        const auto frame = decode_hdlc(bytes);
        REQUIRE(frame);
        CHECK(encode_hdlc(*frame) == bytes);
        CHECK(frame->control == row.control);
        CHECK(frame->segmented == row.segmented);
        if (std::string_view{row.id} != "UI-DN") {
            CHECK(frame->destination == row.to);
            CHECK(frame->source == row.from);
        }
        if (row.size > 0) CHECK(frame->information.size() == row.size);
    }
}

TEST_CASE("hdlc: addresses of one, two and four octets", "[link]") {
    struct Row {
        HdlcAddress address;
        const char* octets;
    };
    const auto row = GENERATE(values<Row>({{{.upper = 16}, "21"},
                                           {{.upper = 1, .lower = 17}, "0223"},
                                           {{.upper = 1, .lower = 17, .wide = true}, "00020023"},
                                           {{.upper = 1, .lower = 0x3FFF, .wide = true}, "0002FEFF"}}));
    DYNAMIC_SECTION(row.octets) {
        const HdlcFrame frame{.destination = row.address, .source = client, .control = hdlc_control::snrm};
        const Buffer bytes = encode_hdlc(frame);
        CHECK(to_hex(bytes).substr(6, std::string_view{row.octets}.size()) == row.octets);
        const auto decoded = decode_hdlc(bytes);
        REQUIRE(decoded);
        CHECK(*decoded == frame);
    }
}

TEST_CASE("hdlc: refuses a wrong frame and says where", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"empty", "", {Fault::truncated, 0}},
        {"no flag", "A0", {Fault::bad_tag, 0}},
        {"format type 1", "7E90070321930F017E", {Fault::bad_version, 1}},
        {"length of nothing", "7EA0060321930F017E", {Fault::bad_value, 1}},
        {"length beyond the end", "7EA0080321930F017E", {Fault::truncated, 9}},
        {"wrong FCS", "7EA0070321930F027E", {Fault::bad_checksum, 6}},
        {"closing flag missing", "7EA0070321930F017F", {Fault::bad_tag, 8}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto frame = decode_hdlc(from_hex(row.bytes).value());
        REQUIRE_FALSE(frame);
        CHECK(frame.error() == row.error);
    }
}

TEST_CASE("hdlc: every prefix of a frame is refused, every flipped bit too", "[link]") {
    const Buffer bytes = from_hex(vector::i_get).value();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        REQUIRE_FALSE(decode_hdlc(Bytes{bytes}.first(size)));
    }
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        CAPTURE(bit);
        Buffer broken = bytes;
        broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ 1U << bit % 8);
        CHECK_FALSE(decode_hdlc(broken));
    }
}

TEST_CASE("hdlc stream: shared flags, idle flags, noise and 7E inside, at every chunking", "[link]") {
    const HdlcFrame with_flags{
        .destination = server, .source = client, .control = 0x10, .information = {0x7E, 0x7E, 0xA0, 0x7E}};
    Buffer stream = from_hex("55AA").value();
    const auto append = [&stream](Bytes bytes) { stream.insert(stream.end(), bytes.begin(), bytes.end()); };
    append(from_hex(vector::snrm_1).value());
    append(Bytes{from_hex(vector::i_get).value()}.subspan(1));  // opens with the flag that closed the SNRM
    append(from_hex("7E7E7E").value());
    append(encode_hdlc(with_flags));
    append(from_hex("7EA0070321930F027E").value());  // wrong FCS
    append(from_hex(vector::seg_1).value());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        CAPTURE(size);
        HdlcDecoder decoder;
        std::vector<HdlcFrame> frames;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            decoder.feed(Bytes{stream}.subspan(at, std::min(size, stream.size() - at)));
            for (auto& frame : all_of(decoder)) frames.push_back(std::move(frame));
        }
        REQUIRE(frames.size() == 4);
        CHECK(frames[0].control == 0x93);
        CHECK(frames[1].control == 0x32);
        CHECK(frames[2] == with_flags);
        CHECK(frames[3].segmented);
        CHECK(decoder.refused() == 2);
        CHECK_FALSE(decoder.partial());
    }
}

TEST_CASE("hdlc stream: a frame that never ends is given up by the owner's timer", "[link]") {
    HdlcDecoder decoder;
    decoder.feed(from_hex("7EA7FF0321").value());
    CHECK_FALSE(decoder.next());
    CHECK(decoder.partial());
    decoder.reset();
    decoder.feed(from_hex(vector::snrm_1).value());
    CHECK(decoder.next());
}

}  // namespace wattmesh::link
