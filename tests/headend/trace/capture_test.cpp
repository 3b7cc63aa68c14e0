#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "headend/trace/capture_file.h"
#include "tests/security/folder.h"

using namespace wattmesh;
using namespace wattmesh::headend::trace;

namespace {

struct PipeClose {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
};
/// What Wireshark reads of a capture: the named fields of each packet, with commas between.
std::string tshark(const std::filesystem::path& file, const std::string& fields) {
    const std::string command =
        "tshark -n -r '" + file.string() + "' -T fields -E separator=, " + fields + " 2>&1";
    const std::unique_ptr<std::FILE, PipeClose> pipe{popen(command.c_str(), "r")};
    REQUIRE(pipe);
    std::string text;
    char part[512];
    while (std::fgets(part, sizeof part, pipe.get()) != nullptr)
        if (!std::string_view{part}.starts_with("Running as user")) text += part;
    return text;
}

Found found(Record::Kind kind, link::Carried carries, std::uint64_t link, Buffer content) {
    return {"1-1",
            {.kind = kind,
             .carries = carries,
             .link = link,
             .device = DeviceNumber::parse("000000000258"),
             .at = from_epoch_us(1'790'000'000'123'456),
             .size = content.size(),
             .content = std::move(content)}};
}
Buffer octets(std::string_view hex) { return from_hex(hex).value(); }

}  // namespace

TEST_CASE("trace capture: Wireshark reads its streams, both ways", "[trace]") {
    using Kind = Record::Kind;
    using link::Carried;
    security::Folder folder;
    const auto file = folder.path / "links.pcapng";
    {
        std::ofstream out{file, std::ios::binary};
        CaptureFile capture{out};
        capture.add(found(Kind::opened, Carried::wrapper, 1, to_buffer(as_bytes("on port 4061"))));
        capture.add(
            found(Kind::sent, Carried::wrapper, 1, octets("000100100001000DC001C100080000010000FF0200")));
        capture.add(found(Kind::received, Carried::wrapper, 1,
                          octets("0001000100100012C401C100090C07E8010101000000000080FF")));
        capture.add(found(Kind::sent, Carried::modbus_tcp, 2, octets("0001000000060503006B0003")));
        capture.add(found(Kind::received, Carried::modbus_tcp, 2, octets("000100000009050306022B00000064")));
        capture.add(found(Kind::closed, Carried::wrapper, 1, to_buffer(as_bytes("silent for too long"))));
    }
    CHECK(tshark(file, "-e frame.time_epoch -e ip.src -e tcp.srcport -e tcp.dstport -e _ws.col.Protocol") ==
          "1790000000.123456000,10.0.1.2,20000,4059,TCP\n"
          "1790000000.123456000,10.255.255.1,4059,20000,TCP\n"
          "1790000000.123456000,10.0.1.2,20000,4059,TCP\n"
          "1790000000.123456000,10.255.255.1,502,20001,Modbus/TCP\n"
          "1790000000.123456000,10.0.1.2,20001,502,Modbus/TCP\n"
          "1790000000.123456000,10.255.255.1,4059,20000,TCP\n");
    // Debian's Wireshark 4.0 has no dissector of DLMS: the octets are what was said.
    CHECK(tshark(file, "-Y 'tcp.port == 4059 && tcp.len > 0' -e tcp.seq -e tcp.payload") ==
          "1,000100100001000dc001c100080000010000ff0200\n"
          "1,0001000100100012c401c100090c07e8010101000000000080ff\n");
    CHECK(tshark(file, "-Y frame.comment -e frame.comment") ==
          "opened: on port 4061\nclosed: silent for too long\n");
    CHECK(tshark(file, "-Y modbus -e modbus.func_code") == "3\n3\n");
    CHECK(tshark(file, "-Y '_ws.malformed || tcp.analysis.lost_segment' -e frame.number").empty());
}

TEST_CASE("trace capture: a frame that was cut is missing at its end, and what follows stands behind it",
          "[trace]") {
    security::Folder folder;
    const auto file = folder.path / "cut.pcapng";
    {
        std::ofstream out{file, std::ios::binary};
        CaptureFile capture{out};
        auto cut = found(Record::Kind::received, link::Carried::gdw376, 1, Buffer(100, 0x68));
        cut.record.size = 40'000;
        capture.add(cut);
        capture.add(found(Record::Kind::received, link::Carried::gdw376, 1, Buffer(20'000, 0x16)));
    }
    CHECK(tshark(file, "-e frame.len -e frame.cap_len -e tcp.seq") ==
          "40040,140,1\n16424,16424,40001\n3656,3656,56385\n");
}
