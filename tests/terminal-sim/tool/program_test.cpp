#include <unistd.h>

#include <catch2/catch.hpp>

#include "platform/arguments.h"
#include "platform/loop.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/meter.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/meter_session.h"
#include "terminal-sim/tool/running.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

int tool(std::vector<const char*> words) {
    words.insert(words.begin(), "terminal-sim");
    return run_tool(static_cast<int>(words.size()), words.data(), "/dev/null/none");
}

}  // namespace

TEST_CASE("meter on TCP and UDP: every client reads it over every link", "[sim]") {
    const auto kind = GENERATE(LinkKind::wrapper, LinkKind::hdlc, LinkKind::udp, LinkKind::mode_e);
    CAPTURE(to_string(kind));
    const MeterThread meter{kind};
    BenchCall call{meter.address(), kind, management_logical_device, 20s};
    {
        MeterSession open{call, {}};
        const auto name = open.get({1, obis::logical_device_name, 2});
        CHECK(to_json(std::get<dlms::Data>(name)) == "\"WMT540000000042\"");
        CHECK(open.get({3, obis::active_import_total, 2}) ==
              dlms::ReadOutcome{dlms::AccessResult::read_write_denied});
        open.release();
    }
    {
        MeterSession reading{call, {reading_client, to_buffer(as_bytes("12345678")), {}}};
        const auto profile = reading.get({7, obis::load_profile, 2});
        CHECK(std::get<dlms::Data>(profile).elements()->size() == 96);
        reading.release();
    }
    for (int twice = 0; twice < 2; ++twice) {  // the second one goes on with the counter the meter shows
        MeterSession management{call, {management_client, {}, dlms::ClientKeys{key(1), key(2)}}};
        CHECK(management.get({70, obis::disconnect_control, 2}) == dlms::ReadOutcome{dlms::Data{true}});
        management.release();
    }
    CHECK_THROWS_WITH((MeterSession{call, {reading_client, to_buffer(as_bytes("87654321")), {}}}),
                      Catch::Contains("--secret"));
    CHECK_THROWS_WITH((MeterSession{call, {management_client, {}, dlms::ClientKeys{key(1), key(3)}}}),
                      Catch::Contains("--ek"));
}

TEST_CASE("meter on TCP: an octet stream that is not DLMS ends its connection, others live on", "[sim]") {
    const MeterThread meter{LinkKind::wrapper};
    BenchCall good{meter.address(), LinkKind::wrapper, management_logical_device, 20s};
    BenchCall wrong{meter.address(), LinkKind::hdlc, management_logical_device, 20s};
    CHECK_THROWS_WITH(wrong.use(public_client), Catch::Contains("127.0.0.1"));
    MeterSession open{good, {}};
    CHECK(std::holds_alternative<dlms::Data>(open.get({8, obis::clock, 2})));
    CHECK_THROWS_WITH((BenchCall{{"127.0.0.1", 1}, LinkKind::wrapper, management_logical_device, 5s}),
                      Catch::Contains("127.0.0.1:1"));
}

TEST_CASE("commands: wrong words are answered by the name of what is wrong and the way out", "[sim]") {
    struct Row {
        std::vector<const char*> words;
        const char* says;
    };
    const auto row = GENERATE(values<Row>({
        {{"nonsense"}, "--help"},
        {{"provision"}, "--out"},
        {{"provision", "--out", "/tmp/x", "--layout", "Z"}, "--layout Z"},
        {{"provision", "--out", "/tmp/x", "--meters", "0"}, "meters"},
        {{"provision", "--oops", "1"}, "--oops"},
        {{"field", "--town", "/nonexistent/town.json", "--keys", "x", "--state", "y"}, "provision"},
        {{"meter", "--port", "0"}, "--number"},
        {{"meter", "--port", "0", "--number", "12"}, "twelve"},
        {{"meter", "--port", "0", "--number", "540000000001", "--link", "serial"}, "--link"},
        {{"meter", "--port", "0", "--number", "540000000001", "--ek", "00"}, "--ek"},
        {{"read"}, "1.8.0"},
        {{"read", "--tcp", "127.0.0.1:1", "1.8.x"}, "1.8.x"},
        {{"read", "--tcp", "127.0.0.1:1", "--link", "serial", "1.8.0"}, "mode-e"},
        {{"read", "--tcp", "127.0.0.1:1", "--window", "3", "1.8.0"}, "--window"},
        {{"read", "--tcp", "127.0.0.1:1", "--link", "hdlc", "--window", "8", "1.8.0"}, "window"},
        {{"read", "--tcp", "127.0.0.1:1", "--link", "hdlc", "--device", "1", "1.8.0"}, "--device"},
        {{"read", "--tcp", "127.0.0.1:1", "--link", "udp", "--echo", "true", "1.8.0"}, "--echo"},
        {{"read", "--tcp", "127.0.0.1:1", "1.8.0/0"}, "1.8.0/0"},
        {{"read", "--tcp", "127.0.0.1:1", "--client", "2", "1.8.0"}, "--secret"},
        {{"read", "--tcp", "127.0.0.1:1", "--client", "1", "1.8.0"}, "--ek"},
        {{"read", "--tcp", "127.0.0.1:1", "--client", "reader", "1.8.0"}, "--client reader"},
        {{"read", "--tcp", "127.0.0.1:1", "--model", "is15959", "--client", "48", "1.8.0"}, "--ek"},
        {{"read", "--tcp", "127.0.0.1:1", "--model", "nokia", "1.8.0"}, "--model nokia"},
        {{"read", "--tcp", "127.0.0.1:1", "--gateway", "3", "1.8.0"}, "--gateway 3"},
        {{"read", "--tcp", "127.0.0.1:1", "--from", "yesterday", "1.8.0"}, "--from yesterday"},
        {{"meter", "--port", "0", "--number", "540000000001", "--gateway", "x"}, "--gateway x"},
        {{"meter", "--port", "0", "--number", "540000000001", "--push", "x"}, "--push x"},
        {{"listen"}, "port"},
        {{"listen", "--port", "0", "--link", "serial"}, "mbus"},
        {{"listen", "--port", "0", "--key", "00"}, "--key"},
        {{"decode", "xyz"}, "hexadecimal"},
        {{"decode", "C0", "0"}, "one digit"},
        {{"decode", ""}, "nothing to decode"},
        {{"decode", "--as", "zigbee", "00"}, "--as zigbee"},
        {{"decode", "--key", "00", "00"}, "--key"},
        {{"decode", "--title", "4D4D", "00"}, "--title"},
        {{"decode", "--keys", "/nonexistent/shipment.json", "00"}, "/nonexistent/shipment.json"},
        {{"truth"}, "compare"},
        {{"truth", "compare", "--truth", "/nonexistent/t"}, "/nonexistent/t"},
    }));
    CAPTURE(row.words[0], row.says);
    CHECK_THROWS_WITH(tool(row.words), Catch::Contains(row.says));
}

TEST_CASE("decode: exits with 0 when all of it makes sense, with 3 when not", "[sim]") {
    const char* const get = "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B";  // GLO-30
    const char* const key = "000102030405060708090A0B0C0D0E0F";
    const char* const title = "4D4D4D0000BC614E";
    CHECK(tool({"decode", get}) == 0);
    CHECK(tool({"decode", "--key", key, "--ak", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF", "--title", title, get}) ==
          0);
    CHECK(tool({"decode", "--key", key, "--ak", key, "--title", title, "--json", get}) == 3);
    CHECK(tool({"decode", "C401C100060000", "13"}) == 3);
    CHECK(tool({"decode", "--all", "--as", "data", "0600001391"}) == 0);
}

TEST_CASE("commands: each has help that names its options", "[sim]") {
    for (const Command& command : commands()) {
        CAPTURE(command.name);
        for (const auto& option : command.options)
            if (option != "log") CHECK_THAT(command.help, Catch::Contains("--" + option));
        for (const auto& flag : command.flags) CHECK_THAT(command.help, Catch::Contains("--" + flag));
        CHECK(tool({command.name, "--help"}) == 0);
    }
    CHECK(tool({"--help"}) == 0);
}

TEST_CASE("times: Unix seconds and ISO 8601 are read", "[sim]") {
    CHECK(parse_instant("0") == Instant{});
    CHECK(parse_instant("2026-11-22T10:00:05Z") ==
          Instant{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}} + 10h + 5s);
    CHECK(iso_text(*parse_instant("2026-11-22T10:00:05Z")) == "2026-11-22T10:00:05Z");
    for (const char* bad : {"", "now", "12x", "2026-11-31T10:00:05Z", "2026-11-22T24:00:05Z",
                            "2026-11-22T10:00:05", "2026-11-22 10:00:05Z", "2026-11-22T10:00:05Zx"})
        CHECK_FALSE(parse_instant(bad));
}
