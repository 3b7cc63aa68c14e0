// Reading simulated meters behind a DLMS gateway, and of other models, by real sockets.
#include <catch2/catch.hpp>

#include "protocol/link/wrapper.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/meter_session.h"
#include "terminal-sim/tool/session_options.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;

TEST_CASE("gateway: addresses are read as text or octets and make the prefix of the standard", "[sim]") {
    // captured request to a LONGI DCU, network 3, address as characters
    const auto captured = gateway_address("3:540000000341");
    REQUIRE(captured);
    CHECK(to_hex(as_request(captured, {0x60})) == "E6030C35343030303030303033343160");
    CHECK(to_hex(as_answer(gateway_address("0:0x123456789012"), {0xC4})) == "E70006123456789012C4");
    CHECK(gateway_address("255:1"));
    for (const char* bad : {"", "3", "3:", ":1", "256:1", "x:1", "3x:1", "0:0x", "0:0x1", "0:0xZZ",
                            "0:123456789012345678901234567890123"})
        CHECK_FALSE(gateway_address(bad));
    CHECK(as_request({}, {0x60}) == Buffer{0x60});
}

TEST_CASE("gateway: a meter behind it is read over every link, and answers what is addressed to it only",
          "[sim]") {
    const auto kind = GENERATE(LinkKind::wrapper, LinkKind::hdlc, LinkKind::udp);
    CAPTURE(to_string(kind));
    BenchLimits limits;
    limits.gateway = gateway_address("3:540000000042");
    const MeterThread meter{kind, limits};
    BenchLine line{.attempts_max = 1};
    line.gateway = limits.gateway;
    {
        BenchCall call{meter.address(), kind, management_logical_device, 20s, line};
        MeterSession session{call, {management_client, {}, dlms::ClientKeys{key(1), key(2)}}};
        CHECK(session.get({70, obis::disconnect_control, 2}) == dlms::ReadOutcome{dlms::Data{true}});
        session.release();
    }
    for (const auto& other : {gateway_address("3:540000000043"), gateway_address("4:540000000042"),
                              std::optional<GatewayAddress>{}}) {
        line.gateway = other;
        BenchCall call{meter.address(), kind, management_logical_device, 300ms, line};
        CHECK_THROWS_WITH((MeterSession{call, {}}), Catch::Contains("no answer in time"));
    }
}

TEST_CASE("models: each is read by the clients it knows", "[sim]") {
    const auto* model = GENERATE(&cosem::models::generic, &cosem::models::idis, &cosem::models::dsmr,
                                 &cosem::models::is15959);
    CAPTURE(model->name);
    MeterThread::Special special;
    special.model = model;
    const MeterThread meter{LinkKind::wrapper, {}, special};
    const std::map<std::string, std::string> keys{{"ek", "01010101010101010101010101010101"},
                                                  {"ak", "02020202020202020202020202020202"},
                                                  {"secret", "12345678"}};
    struct Row {
        const char* client;
        dlms::AttributeId id;
    };
    const Row rows[]{{"public", {8, obis::clock, 2}},
                     {"reading", {8, obis::clock, 2}},
                     {"management", {70, obis::disconnect_control, 2}}};
    for (const auto& row : rows) {
        auto options = keys;
        options["client"] = row.client;
        BenchCall call{meter.address(), LinkKind::wrapper, management_logical_device, 20s};
        MeterSession session{call, who_of(platform::Settings{options}, *model)};
        CHECK(std::holds_alternative<dlms::Data>(session.get(row.id)));
        session.release();
    }
    if (model != &cosem::models::is15959) return;
    BenchCall call{meter.address(), LinkKind::wrapper, management_logical_device, 300ms};
    CHECK_THROWS(MeterSession{call, {management_client, {}, dlms::ClientKeys{key(1), key(2)}}});  // SAP 1
    auto options = keys;
    options["client"] = "48";
    MeterSession session{call, who_of(platform::Settings{options}, *model)};
    CHECK(std::holds_alternative<dlms::Data>(session.get({3, obis::active_import_total, 2})));
}
