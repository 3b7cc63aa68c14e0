#include "protocol/decode/describe.h"

#include <catch2/catch.hpp>

#include "protocol/dlms/data.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::decode;
using dlms::test::octets;
using dlms::test::vector;
using dlms::test::vectors;

namespace {

Buffer joined(std::initializer_list<const char*> ids) {
    Buffer out;
    for (const char* id : ids) {
        const Buffer one = vector(id);
        out.insert(out.end(), one.begin(), one.end());
    }
    return out;
}

}  // namespace

// Octets and what they mean: tests/vectors/dlms.json, by id.
TEST_CASE("describe: says what a message is, field by field", "[sim]") {
    struct Row {
        const char* id;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({
        {"WRAP-1",
         "0000  wrapper from 16 (public client) to 1, 13 octets\n"
         "0008    get-request-normal invoke 1 confirmed high priority\n"
         "000B      class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time\n"},
        {"GETR-PROF",
         "0000  get-response-normal invoke 1 confirmed high priority\n"
         "0004    value array of 4\n"
         "0006      1: structure {octet-string(12) 2019-12-31T23:00:00+01:00 Tue, uint8 6, uint32 1517, "
         "uint32 "
         "1620}\n"
         "0022      2: structure {null, uint8 6, uint32 1517, uint32 1620}\n"
         "0031      3: structure {null, uint8 6, uint32 1517, uint32 1620}\n"
         "0040      4: structure {null, uint8 6, uint32 1517, uint32 1620}\n"},
        {"GET-RNG",
         "0000  get-request-normal invoke 1 confirmed high priority\n"
         "0003    class 7 profile_generic, 1-0:99.1.0*255 Load profile, attribute 2 buffer\n"
         "000C      selector 1 by range\n"
         "0010        sorted by capture object: class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time\n"
         "0022        from octet-string(12) 2017-10-01T00:00:00+01:00 Sun, daylight saving\n"
         "0030        to octet-string(12) 2017-10-01T01:00:00+01:00 Sun, daylight saving\n"
         "003E        all columns\n"},
        {"AARE-5",
         "0000  aare\n"
         "0002    application context logical names, no ciphering (1)\n"
         "000D    result accepted (0)\n"
         "0012    diagnostic: authentication required: HLS goes on with pass 3 (14, of the ACSE service "
         "user)\n"
         "0019    ACSE requirements 0780 (authentication)\n"
         "001D    mechanism HLS GMAC (5)\n"
         "0026    challenge StoC 503677524A323146 \"P6wRJ21F\"\n"
         "0032    user information, 14 octets\n"
         "0036      initiate-response\n"
         "0038        DLMS version 6\n"
         "0039        negotiated conformance 00501F\n"
         "0039          priority-mgmt-supported, block-transfer-with-get-or-read, get, set, "
         "selective-access\n"
         "0039          event-notification, action\n"
         "0040        server receives PDUs of up to 500 octets\n"
         "0042        VAA name 0007 (logical names)\n"},
        {"UI-DN",
         "0001  hdlc UI (no link needed) P/F, from 4/65 to 32, 32 octets\n"
         "0009    llc response\n"
         "000C      data-notification invoke 0 confirmed normal priority\n"
         "0011        no date-time\n"
         "0012        body array [{octet-string(6) 1-0:1.7.0*255 Active power import, uint32 367, {int8 0, "
         "enum "
         "27} = x10^0 W} = 367 W]\n"},
        {"CA-1",
         "0000  compact-array of 2\n"
         "0006    1: structure {uint32 1, uint8 5}\n"
         "000B    2: structure {uint32 2, uint8 6}\n"},
    }));
    CAPTURE(row.id);
    const Report report = describe(vector(row.id));
    CHECK(report.text() == row.text);
    CHECK(report.whole());
}

TEST_CASE("describe: names what the other messages are about", "[sim]") {
    struct Row {
        const char* id;
        std::vector<const char*> words;
    };
    const auto row = GENERATE(values<Row>({
        {"AARQ-1", {"logical names, no ciphering (1)", "conformance 007E1F", "up to 1200 octets"}},
        {"AARE-1r", {"rejected for good (1)", "application context name not supported (2,"}},
        {"AARQ-2", {"mechanism LLS (1)", "password, 8 octets (a secret, not shown)"}},
        {"INI-2", {"dedicated key, 16 octets (a secret, not shown)", "DLMS version 6"}},
        {"RLRQ-1", {"rlrq", "reason normal (0)"}},
        {"GETR-1", {"value uint32 5009"}},
        {"GETR-1c", {"2026-11-22T00:16:16 Sun, zone not given"}},
        {"GETR-1e", {"result hardware-fault (1)"}},
        {"GETN-1", {"get-request-next", "block 1 has arrived"}},
        {"GETL-1", {"get-request-with-list", "1: class 1 data, 0-0:42.0.0*255", "2: class 8 clock"}},
        {"GETLR-1", {"\"ISK1030777764366\"", "2021-06-03T14:09:23+01:00 Thu"}},
        {"GET-ENT", {"by entry", "from entry uint32 1", "to entry uint32 6", "all columns"}},
        {"GETB-err", {"block 19, the last", "hardware-fault (1)"}},
        {"GBT-ack", {"window 3, acknowledges 3", "acknowledgement"}},
        {"SET-1", {"2021-01-24T14:48:57.80+01:00"}},
        {"SETL-1", {"set-request-with-list", "attribute 3 time_zone", "int16 -120"}},
        {"SETBR-1", {"set-response-datablock", "block 1 has arrived"}},
        {"SETR-1e", {"read-write-denied (3)"}},
        {"ACT-HLS", {"association_ln", "method 1 reply_to_hls_authentication", "10000000011A52FE"}},
        {"ACT-DISC", {"disconnect_control", "method 1 remote_disconnect", "int8 0"}},
        {"EXC-ic", {"service-not-allowed (1)", "invocation-counter-error (6)", "counter 291 (00000123)"}},
        {"DN-1", {"invoke 475", "no date-time", "octet-string(34)"}},
        {"EN-1", {"event-notification-request", "0-0:97.97.0*255 Error register", "uint8 5"}},
        {"ACC-1", {"access-request invoke 1", "1: get class 1 data", "2: get class 8 clock", "data: 2"}},
        {"SN-READ", {"read-request (short names)", "variable FA08"}},
        {"SN-READR", {"read-response (short names)", "1: uint8 5"}},
        {"SN-WRITE", {"write-request", "variable 0100", "uint8 1"}},
        {"SN-WRITER", {"write-response", "1: success"}},
        {"GLO-30",
         {"suite 0, authenticated and encrypted", "19088743 (01234567)", "ciphertext of 13 octets",
          "give --key and --ak"}},
        {"GGLO-30", {"general-glo-ciphering", "4D4D4D0000BC614E (MMM)"}},
        {"SNRM-w3", {"SNRM", "window sent 3"}},
        {"UA-2", {"UA", "longest information sent 128", "window received 1"}},
        {"SNRM-4", {"from 16 (public client) to 1/17"}},
        {"RR-3", {"RR N(R)=3"}},
        {"I-GET", {"I N(S)=1 N(R)=1", "llc command", "attribute 3 capture_objects"}},
        {"I-GETR",
         {"llc response", "2: capture object: class 3 register, 1-1:21.25.0*255, attribute 2 value"}},
        {"UI-KAIFA", {"quirk tagged_date_time", "uint32 55"}},
        {"UI-LG-GBT1",
         {"streaming, window 0", "unfinished", "data-notification invoke 8160211",
          "5: capture object: class 3"}},
        {"PUSH-W",
         {"from 1 to 60", "2: (0-0:42.0.0*255 Logical device name) octet-string(16) \"GRX0000000123456\""}},
    }));
    CAPTURE(row.id);
    const Report report = describe(vector(row.id));
    for (const char* words : row.words)
        if (std::string_view{words} != "13: ") CHECK_THAT(report.text(), Catch::Contains(words));
    CHECK(report.whole());
}

TEST_CASE("describe: every vector makes sense, and no prefix of one passes for a whole message", "[sim]") {
    for (const auto& [id, message] : vectors()) {
        CAPTURE(id);
        CHECK(describe(message).whole());
        for (std::size_t size = 0; size < message.size(); ++size) {
            const Bytes prefix = Bytes{message}.first(size);
            const Report report = describe(prefix);
            CAPTURE(size, report.text());
            // A few are a legal value of Data: 0F 00 is the integer 0.
            if (report.whole()) CHECK(dlms::decode_data(prefix));
            CHECK_FALSE(report.text().empty());
            for (const Finding& finding : report.findings()) CHECK(finding.offset <= size);
        }
    }
}

TEST_CASE("describe: joins segments and blocks and decodes the whole", "[sim]") {
    const std::string segments = describe(joined({"SEG-1", "RR-4", "SEG-2"})).text();
    CHECK_THAT(segments, Catch::Contains("2 parts joined, 226 octets") &&
                             Catch::Contains("value array of 9") &&
                             Catch::Contains("9: structure {octet-string(12) 2025-10-01"));

    const std::string blocks = describe(joined({"GETB-1", "GETB-2", "GETB-3"})).text();
    CHECK_THAT(blocks, Catch::Contains("3 parts joined, 75 octets"));
    // The last row lies in the last block: GETB-3 begins at 80, its octets at 90.
    CHECK_THAT(blocks, Catch::Contains("005A      4: structure {null, uint8 6, uint32 1517, uint32 1620}\n"));

    const std::string general = describe(joined({"GBT-1", "GBT-2", "GBT-3"})).text();
    CHECK_THAT(general, Catch::Contains("3 parts joined, 79 octets:") &&
                            Catch::Contains("get-response-normal invoke 1 confirmed high priority"));
    // Its value begins in the third block, whose octets are at 0051.
    CHECK_THAT(general,
               Catch::Contains("0055        4: structure {null, uint8 6, uint32 1517, uint32 1620}\n"));

    const Report gap = describe(joined({"GBT-1", "GBT-3"}));
    CHECK_THAT(gap.text(), Catch::Contains("the parts before are not here") && Catch::Contains("unfinished"));
    CHECK_THAT(describe(joined({"SETB-1", "SETB-2"})).text(),
               Catch::Contains("2021-01-24T14:48:57.80+01:00"));
    CHECK_THAT(describe(joined({"I-GET", "I-GETR"})).text(),
               Catch::Contains("of class 7 profile_generic, 1-0:99.1.0*255 Load profile, attribute 3"));
}

TEST_CASE("describe: shows the octets around an error and where it is", "[sim]") {
    const Report cut = describe(octets("C401C10002020600001391020211"));
    CHECK(cut.text() ==
          "0000  get-response-normal invoke 1 confirmed high priority\n"
          "0004    value structure of 2\n"
          "0006      1: uint32 5009\n"
          "000B      2: structure of 2\n"
          "000E  !! truncated\n"
          "\n"
          "0006  06 00 00 13 91 02 02 11\n"
          "                              ^^\n"
          "error: truncated at octet 14 (0xE) in get-response-normal: in element 1 of 2 of the structure at "
          "octet "
          "11\n");
}

TEST_CASE("describe: points at the wrong octet", "[sim]") {
    struct Row {
        const char* why;
        const char* hex;
        Fault fault;
        std::size_t offset;
        const char* where;
    };
    const auto row = GENERATE(values<Row>({
        {"a number is cut", "C401C10006000013", Fault::truncated, 8, "get-response-normal"},
        {"a string is longer than the message", "C401C100097F0102", Fault::truncated, 8,
         "get-response-normal"},
        {"no length", "C401C10009FF0102", Fault::too_long, 5, "get-response-normal"},
        {"an octet behind the end", "C401C100200013917B", Fault::trailing, 7, "get-response-normal"},
        {"no type of Data", "C401C100220013917B", Fault::bad_tag, 4, "get-response-normal"},
        {"octets behind an array", "C401C100010211051199330000", Fault::trailing, 10, "get-response-normal"},
        {"in the second element", "C401C1000102110599", Fault::bad_tag, 8, "get-response-normal"},
        {"choice of the service", "C004C100080000010000FF0200", Fault::bad_tag, 1, "get-request"},
        {"neither data nor result", "C401C1020600001391", Fault::bad_tag, 3, "get-response-normal"},
        {"in the APDU of a wrapper", "000100100001000DC001C100080000010000FF0203", Fault::bad_value, 20,
         "get-request-normal"},
        {"wrapper shorter than its length", "000100100001000EC001C100080000010000FF0200", Fault::truncated,
         21, "wrapper"},
        {"wrapper and something else", "000100100001000DC001C100080000010000FF02000002", Fault::bad_version,
         21, "wrapper"},
        {"frame check sequence", "7EA0070321930F027E", Fault::bad_checksum, 6, "hdlc"},
        {"header check sequence", "7EA0190321326FD9E6E600C001C100070100630100FF030030987E",
         Fault::bad_checksum, 6, "hdlc"},
        {"closing flag", "7EA0070321930F01", Fault::truncated, 8, "hdlc"},
        {"another octet for the flag", "7EA0070321930F0100", Fault::bad_tag, 8, "hdlc"},
        {"noise between frames", "7EA0070321930F017E00007EA0070321930F017E", Fault::unexpected, 9, "hdlc"},
        {"LLC quality",
         "7EA01903213"
         "26FD8E6E601C001C100070100630100FF0300"
         "8C907E",
         Fault::bad_value, 10, "llc"},
        {"conformance", "01000000065F1F0401007E1F04B0", Fault::bad_value, 8, "initiate-request"},
        {"a context that is not DLMS", "601DA109060760857405090101BE10040E01000000065F1F0400007E1F04B0",
         Fault::bad_value, 6, "aarq"},
        {"a length in BER", "6203800200", Fault::truncated, 5, "rlrq"},
        {"compact array, a row is cut", "13020206110A000000010500000002", Fault::truncated, 15, "the value"},
        {"security header", "C8053001234567", Fault::truncated, 7, "glo-get-request"},
        {"M-Bus sum", "680A0A68 53FF1001676203800100 B116", Fault::bad_checksum, 14, "m-bus"},
        {"nothing known", "99", Fault::bad_tag, 0, "the input"},
    }));
    CAPTURE(row.why, row.hex);
    const Report report = describe(octets(row.hex));
    CAPTURE(report.text());
    REQUIRE_FALSE(report.whole());
    CHECK(report.findings()[0].fault == row.fault);
    CHECK(report.findings()[0].offset == row.offset);
    CHECK(report.findings()[0].where == row.where);
}

// Octets: tests/vectors/iec104.txt and the sheet that it comes from.
TEST_CASE("describe: explains frames of IEC 60870-5-104, and says where one stops making sense", "[sim]") {
    struct Row {
        const char* hex;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({
        {"680407000000 68040100 0A00",
         "0000  iec104 U STARTDT act\n"
         "0006  iec104 S N(R)=5\n"},
        {"680E020002006401060301000000 0014",
         "0000  iec104 I N(S)=1 N(R)=1, 14 octets\n"
         "0006    asdu 100: C_IC_NA_1 interrogation\n"
         "0007      1 objects\n"
         "0008      cause 6 activation, originator 3\n"
         "000A      common address 1\n"
         "000C      object 0: of the whole station\n"},
        {"6819000000002401030301003412000080664340 9B4E0D0E15091A",
         "0000  iec104 I N(S)=0 N(R)=0, 25 octets\n"
         "0006    asdu 36: M_ME_TF_1 short float with time\n"
         "0007      1 objects\n"
         "0008      cause 3 spontaneous, originator 3\n"
         "000A      common address 1\n"
         "000C      object 4660: 230.5, not topical, 2026-09-21T14:13:20.123Z\n"},
        {"681C040004000D83140301000100000000000000CDCCCC3D00CDCC4C3E00",
         "0000  iec104 I N(S)=2 N(R)=2, 28 octets\n"
         "0006    asdu 13: M_ME_NC_1 short float\n"
         "0007      3 objects, in sequence\n"
         "0008      cause 20 station interrogation, originator 3\n"
         "000A      common address 1\n"
         "000C      object 1: 0\n"
         "0014      object 2: 0.1\n"
         "0019      object 3: 0.2\n"},
    }));
    const auto octets = from_hex(row.hex);
    REQUIRE(octets);
    const Report report = describe(*octets);
    CHECK(report.text() == row.text);
    CHECK(report.whole());
    for (std::size_t size = 1; size < octets->size(); ++size) {
        const Report cut = describe(Bytes{*octets}.first(size), {.form = Form::iec104});
        for (const auto& finding : cut.findings()) CHECK(finding.offset <= size);
    }
    const Report month = describe(*from_hex("6815000000001E0103030100341200019B4E0D0E150D1A"));
    REQUIRE(month.findings().size() == 1);
    CHECK(month.findings()[0].offset == 20);
}

// Octets by the layout in protocol/link/tunnel.h.
TEST_CASE("describe: says what a machine's tunnel does, and of others under its SAP what they say", "[sim]") {
    struct Row {
        const char* hex;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({
        {"000100220001000704000100003000",
         "0000  wrapper from 34 to 1, 7 octets\n"
         "0008    tunnel 1 of a vending machine takes 12288 octets in all\n"},
        {"000100010022000A03000700000005160301",
         "0000  wrapper from 1 to 34, 10 octets\n"
         "0008    tunnel 7 of a vending machine 3 octets of TLS from 5 on\n"},
        {"000100220001000405000101",
         "0000  wrapper from 34 to 1, 4 octets\n"
         "0008    tunnel 1 of a vending machine ends: uplink_down\n"},
        {"000100220001000DC001C100080000010000FF0200",
         "0000  wrapper from 34 to 1, 13 octets\n"
         "0008    get-request-normal invoke 1 confirmed high priority\n"
         "000B      class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time\n"},
    }));
    const Report report = describe(*from_hex(row.hex));
    CHECK(report.text() == row.text);
    CHECK(report.whole());
}
