// Frames: captures and built ones of public sources; those of DL/T 698.45 and of the module were checked by
// their own checksums.
#include "protocol/link/sniff.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::link;

namespace {

struct Row {
    Speech speech;
    const char* hex;
};
const Row rows[]{
    {Speech::gdw376, "68 32 00 32 00 68 C9 00 02 34 12 00 02 71 00 00 01 00 85 16"},
    {Speech::gdw376, "68 4A 00 4A 00 68 00 04 44 61 06 00 00 6A 00 00 03 00 02 00 00 01 00 00 1F 16"},
    {Speech::dlt645, "68 61 10 01 30 12 15 68 91 08 33 33 34 33 AB 39 33 33 49 16"},
    {Speech::dlt645, "FE FE FE FE 68 12 90 78 56 34 12 68 93 06 45 C3 AB 89 67 45 07 16"},
    {Speech::dlt698,
     "68 1E 00 81 05 34 12 00 00 00 00 00 DD DA 01 00 00 01 2C 07 E8 0B 16 05 0E 19 1E 01 23 FE F1 16"},
    {Speech::dlt698, "68 18 00 43 26 01 30 01 00 00 00 00 A1 83 EE 05 01 02 20 00 02 01 00 6B AF 16"},
    {Speech::mbus, "68 05 05 68 53 FE 51 01 07 AA 16"},
    {Speech::hdlc, "7E A0 07 03 21 93 0F 01 7E"},
    {Speech::radio_module, "7E FF 03 00 21 00 0B BF 00 01 00 10 00 01 00 02 01 02 E8 0A 7E"},
    {Speech::radio_module, "7E FF 03 00 22 00 05 C1 03 80 01 1F 9A 84 7E"},
    {Speech::wrapper, "00 01 00 01 00 01 00 11 0A 02 0C 30 30 30 30 30 30 30 30 30 30 30 30 00 00"},
    {Speech::wrapper, "00 01 00 67 00 66 00 28 C2 00"},
    {Speech::bare_apdu, "0F 00 00 00 01 00 02 02"},
    {Speech::bare_apdu, "C2 09 0C 07 EA"},
    {Speech::bare_apdu, "DB 08 4B 46 4D"},
    {Speech::bare_apdu, "E6 03 0C 35 34 30 30 30 30 30 30 30 33 34 31 60"},
    {Speech::ddp, "7B 01 00 16 31 33 39 31 32 33 34 35 36 37 38 0A 00 00 05 13 8A 7B"},
    {Speech::dtu_login, "AA 01 31 33 39 31 32 33 34 35 36 37 38 0D"},
    {Speech::iec62056_21, "2F 4B 46 4D 35"},
};

Sniffed verdict(const char* hex) { return sniff(from_hex(hex).value()); }

}  // namespace

TEST_CASE("sniff: a first frame settles it, its every beginning asks for more, what follows changes nothing",
          "[link]") {
    for (const auto& row : rows) {
        CAPTURE(row.hex);
        Buffer octets = from_hex(row.hex).value();
        std::size_t settled = 0;
        for (std::size_t size = 0; size <= octets.size(); ++size) {
            const auto sniffed = sniff(Bytes{octets}.first(size));
            CAPTURE(size);
            if (settled == 0 && sniffed.verdict == Sniffed::Verdict::more) continue;
            CHECK(sniffed == Sniffed{Sniffed::Verdict::known, row.speech});
            settled = size;
        }
        CHECK(settled == octets.size());
        octets.insert(octets.end(), 300, 0x68);
        CHECK(sniff(octets) == Sniffed{Sniffed::Verdict::known, row.speech});
    }
}

TEST_CASE("sniff: octets that only look like a protocol are none", "[link]") {
    const auto hex = GENERATE(
        "68 32 00 32 00 68 C9 00 02 34 12 00 02 71 00 00 01 00 86 16",     // checksum of 376.1
        "68 61 10 01 30 12 15 68 91 08 33 33 34 33 AB 39 33 33 48 16",     // of 645
        "68 05 05 68 53 FE 51 01 07 AB 16 00 00 00 00",                    // of M-Bus
        "68 1E 00 81 05 34 12 00 00 00 00 00 DD DB 01 00 00 01 2C 07 E8",  // header check of 698.45
        "7E A0 07 03 21 93 0F 02 7E",                                      // FCS of HDLC
        "7E FF 03 00 21 45 00 00 3C 1C 46 40 00 40 06",                    // PPP with IPv4
        "7E A8 05 03",                                                     // shorter than any header
        "00 01 00 00 00 06 01 03 0B B7 00 06",                             // Modbus TCP
        "00 01 00 10 00 01 00 05 FF",                                      // a wrapper around no APDU
        "00 02", "FE FE FE FE FE", "FE 7E", "7B 01 00 05", "7B 02", "AA 01 31 41", "2F 31", "47 45 54 20 2F",
        "FF", "16 03 01 02 00", "0F 00 00 00 01 44", "C2 02", "60 80", "DB 07", "E6 03 21", "E6 03 01 30 44");
    CAPTURE(hex);
    CHECK(verdict(hex).verdict == Sniffed::Verdict::unknown);
}

TEST_CASE("sniff: nobody is waited for without end", "[link]") {
    for (int begin = 0; begin < 256; ++begin)
        for (const int fill : {0x00, 0x01, 0x08, 0x31, 0x68, 0xA7, 0xFE, 0xFF}) {
            Buffer octets(sniff_size_max + 2, static_cast<std::uint8_t>(fill));
            octets[0] = static_cast<std::uint8_t>(begin);
            CAPTURE(begin, fill);
            CHECK(sniff(octets).verdict != Sniffed::Verdict::more);
        }
}
