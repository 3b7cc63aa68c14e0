#include "headend/exchange/scada_listener.h"

#include <catch2/catch.hpp>
#include <thread>

#include "platform/steady.h"
#include "tests/headend/exchange/tool_run.h"

using namespace wattmesh;
using namespace wattmesh::iec104;
using headend::exchange::ScadaGroupSettings;
using headend::exchange::ScadaListener;
using headend::exchange::ScadaListenerSettings;
using test::tool;

namespace {

std::vector<PointDefinition> table() {
    std::vector<PointDefinition> points;
    for (std::uint32_t i = 0; i < 200; ++i) points.push_back({{7, 200'001 + i}, Type::short_float});
    points.push_back({{7, 400'001}, Type::integrated_total});
    points.push_back({{7, 500'001}, Type::double_command, 0, 0, {}, true, true});
    return points;
}

ScadaListenerSettings settings_of(const char* allowed, bool commands) {
    ScadaGroupSettings group;
    group.name = "control room";
    group.allowed = {headend::frontend::AddressRange::parse(allowed).value()};
    group.outstation.commands = commands;
    ScadaListenerSettings settings;
    settings.port = 0;
    settings.groups = {group};
    return settings;
}

/// An outstation on a thread of its own; every command is done at once, but "on" fails at the far end.
class Station {
public:
    explicit Station(const char* allowed = "127.0.0.0/8", bool commands = true,
                     platform::TlsLink::Context tls = nullptr)
        : loop_(std::make_shared<platform::ScaledClock>()),
          outstation_({}, table()),
          listener_(loop_, settings_of(allowed, commands), std::move(tls), outstation_,
                    {[this](const Command& command, const std::string&) { on_command(command); }}) {
        outstation_.set(0, {Float{230.5F}, {}, {loop_.now(), false, false, false}}, loop_.now());
        outstation_.set(200, {Counter{1'234'567}, {}, {}}, loop_.now());
        listener_.start();
        port_ = std::to_string(listener_.port());
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~Station() {
        loop_.post([this] {
            listener_.stop();
            loop_.stop();
        });
        thread_.join();
    }
    std::string place() const { return "127.0.0.1:" + port_; }

private:
    void on_command(const Command& command) {
        const bool off = std::get<DoubleCommand>(command.value).state == DoubleState::off;
        outstation_.confirm(command.id, true, platform::steady_now());
        outstation_.finish(command.id, off, platform::steady_now());
    }
    platform::Loop loop_;
    Outstation outstation_;
    ScadaListener listener_;
    std::string port_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("scada: interrogates, reads counters and a point, and says that it passed", "[exchange]") {
    const Station station;
    const auto run = tool({"--tcp", station.place(), "--station", "7", "--counters", "--freeze", "--clock",
                           "--read", "200001", "--json"});
    INFO(run.out);
    CHECK(run.status == 0);
    CHECK_THAT(run.out, Catch::Contains(R"({"station":7,"address":200001,"type":"M_ME_NC_1","cause":20,)"
                                        R"("value":230.5,"quality":""})"));
    CHECK_THAT(run.out, Catch::Contains(R"("address":200002,"type":"M_ME_NC_1","cause":20,"value":0,)"
                                        R"("quality":"invalid"})"));
    CHECK_THAT(run.out,
               Catch::Contains(R"("address":400001,"type":"M_IT_NA_1","cause":37,"value":1234567,)"));
    CHECK_THAT(run.out, Catch::Contains(R"({"step":"interrogation","passed":true,"why":"","objects":200,)"));
    CHECK_THAT(run.out, Catch::Contains(R"({"step":"clock","passed":true)"));
    CHECK_THAT(run.out, Catch::Contains(R"({"step":"read","passed":true,"why":"","objects":1,)"));
}

TEST_CASE("scada: a command passes when the outstation ends it well, and not otherwise", "[exchange]") {
    const Station station;
    auto run = tool({"--tcp", station.place(), "--station", "7", "--command", "500001=off", "--quiet"});
    INFO(run.out);
    CHECK(run.status == 0);
    CHECK_THAT(run.out, Catch::Contains("pass  select") && Catch::Contains("pass  execute"));
    run = tool({"--tcp", station.place(), "--station", "7", "--command", "500001=on", "--quiet"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains("FAIL  execute: confirmed, then failed"));
    run = tool({"--tcp", station.place(), "--station", "7", "--command", "500001=on", "--quiet", "--direct"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains("FAIL  execute: refused"));
    const Station closed{"127.0.0.0/8", false};
    run = tool({"--tcp", closed.place(), "--station", "7", "--command", "500001=off", "--quiet"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains("FAIL  select: refused"));
}

TEST_CASE("scada: an unknown station is refused, and who is not allowed gets no answer", "[exchange]") {
    const Station station;
    auto run = tool({"--tcp", station.place(), "--station", "8", "--quiet"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains("FAIL  interrogation: refused"));
    const Station elsewhere{"10.0.0.0/8"};
    run = tool({"--tcp", elsewhere.place(), "--station", "7", "--timeout", "5"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains(elsewhere.place()));
}
