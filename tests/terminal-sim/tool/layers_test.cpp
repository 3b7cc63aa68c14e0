#include <catch2/catch.hpp>

#include "terminal-sim/tool/layers.h"

using namespace wattmesh;
using namespace wattmesh::sim;

// Octets: DLMS fact sheet, vectors WRAP-1, I-AARQ, I-AARE, SNRM-1, GETR-1, GETR-1e, GET-RNG, ACT-DISC,
// EXC-ic, GLO-30, SETR-1.
TEST_CASE("decode: names link layer, APDU and what is in it", "[sim]") {
    struct Row {
        const char* hex;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({
        {"000100100001000DC001C100080000010000FF0200",
         "wrapper source 16 destination 1, 13 octets\n  get-request (C0), 13 octets\n    class 8 object "
         "0-0:1.0.0*255 attribute 2 (clock.time, Clock)\n"},
        {"7EA02B032110FBAFE6E600601DA109060760857405080101BE10040E01000000065F1F0400401E5DFFFF91237E",
         "hdlc I 0/0 destination 1 source 16, 34 octets\n  aarq (60), 31 octets\n    context 1 mechanism "
         "0\n"},
        {"7EA0070321930F017E", "hdlc SNRM destination 1 source 16, 0 octets\n"},
        {"C401C1000600001391", "get-response (C4), 9 octets\n  value 5009\n"},
        {"C401C10101", "get-response (C4), 5 octets\n  result hardware_fault\n"},
        {"C301C10046000060030AFF01010F00",
         "action-request (C3), 15 octets\n  class 70 object 0-0:96.3.10*255 method 1 "
         "(disconnect_control.remote_disconnect, Disconnect control)\n"},
        {"D8010600000123", "exception-response (D8), 7 octets\n  state 1 service 6\n"},
        {"C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B",
         "glo-get-request (C8), 32 octets\n"},
        {"C501C100", "set-response (C5), 4 octets\n  result success\n"},
        {"C001C100070100630100FF0201010204020412000809060000010000FF0F02120000090C07E10A010700000000FFC480090"
         "C07E10A010701000000FFC4800100",
         "get-request (C0), 64 octets\n  class 7 object 1-0:99.1.0*255 attribute 2 (profile_generic.buffer, "
         "Load profile)\n  range "
         "\"2017-09-30T23:00:00Z\" to \"2017-10-01T00:00:00Z\"\n"},
    }));
    CAPTURE(row.hex);
    const auto described = describe(from_hex(row.hex).value());
    CHECK(described.text == row.text);
    CHECK(described.whole);
}

TEST_CASE("decode: says where something stops making sense, at every truncation", "[sim]") {
    for (const char* hex :
         {"000100100001000DC001C100080000010000FF0200", "C401C1000600001391", "7EA0070321930F017E"}) {
        const Buffer octets = from_hex(hex).value();
        for (std::size_t size = 3; size < octets.size(); ++size) {
            const auto described = describe(Bytes{octets}.first(size));
            CAPTURE(hex, size);
            CHECK_FALSE(described.whole);
            CHECK_FALSE(described.text.empty());
        }
    }
}
