// Bytes with ids: dlms fact sheet 4 (Gurux).
#include <catch2/catch.hpp>

#include "protocol/link/hdlc.h"
#include "protocol/link/hdlc_parameters.h"
#include "tests/protocol/link/hdlc_vectors.h"

namespace wattmesh::link {
namespace {

/// The information field of a vector with one-octet addresses.
Buffer information_of(const char* vector) {
    return decode_hdlc(from_hex(vector).value()).value().information;
}

}  // namespace

TEST_CASE("hdlc parameters: the vectors, and sizes of one and two octets, both ways", "[link]") {
    struct Row {
        const char* why;
        Buffer bytes;
        HdlcParameters parameters;
        bool same_octets;
    };
    const auto row = GENERATE(values<Row>({
        {"UA-2", information_of(vector::ua_2), {}, true},
        {"SNRM-w3: sizes not said", information_of(vector::snrm_w3), {128, 128, 3, 3}, false},
        {"nothing said", {}, {}, false},
        {"two octets",
         from_hex("81801405020200060207EE070400000007080400000002").value(),
         {512, 2030, 7, 2},
         true},
        {"window in one octet", from_hex("818003070105").value(), {128, 128, 5, 1}, false},
        {"more than a frame can hold", from_hex("8180040502FFFF").value(), {2030, 128, 1, 1}, false},
        {"an unknown one between", from_hex("8180070902000006011E").value(), {128, 30, 1, 1}, false},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_hdlc_parameters(row.bytes);
        REQUIRE(decoded);
        CHECK(*decoded == row.parameters);
        if (row.same_octets) CHECK(to_hex(encode_hdlc_parameters(row.parameters)) == to_hex(row.bytes));
    }
}

TEST_CASE("hdlc parameters: refuses a malformed field and says where", "[link]") {
    struct Row {
        const char* why;
        const char* bytes;
        Error error;
    };
    const auto row = GENERATE(values<Row>({
        {"another format", "828000", {Fault::bad_tag, 0}},
        {"another group", "818100", {Fault::bad_tag, 1}},
        {"group beyond the end", "818004050180", {Fault::truncated, 6}},
        {"octets behind the group", "81800305018000", {Fault::trailing, 6}},
        {"size 0", "818003050100", {Fault::bad_value, 5}},
        {"window 0", "818003070100", {Fault::bad_value, 5}},
        {"window 8", "818003080108", {Fault::bad_value, 5}},
        {"value of no octets", "8180020500", {Fault::bad_value, 4}},
        {"value of five octets", "81800705050000000001", {Fault::bad_value, 4}},
        {"value beyond the end", "81800405040001", {Fault::truncated, 7}},
    }));
    DYNAMIC_SECTION(row.why) {
        const auto decoded = decode_hdlc_parameters(from_hex(row.bytes).value());
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == row.error);
    }
}

TEST_CASE("hdlc parameters: every prefix of the vectors is refused", "[link]") {
    for (const char* id : {vector::ua_2, vector::snrm_w3}) {
        const Buffer bytes = information_of(id);
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            CAPTURE(size);
            REQUIRE_FALSE(decode_hdlc_parameters(Bytes{bytes}.first(size)));
        }
    }
}

}  // namespace wattmesh::link
