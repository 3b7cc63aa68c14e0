// From the database to a control room and back: a point table, values, a command that becomes a relay job.
#include "headend/exchange/scada_station.h"

#include <catch2/catch.hpp>
#include <thread>

#include "headend/database/job_work.h"
#include "platform/worker_queue.h"
#include "tests/comes.h"
#include "tests/db/town.h"
#include "tests/headend/exchange/tool_run.h"

using namespace wattmesh;
using namespace wattmesh::test;
using headend::exchange::ScadaGroupSettings;
using headend::exchange::ScadaStation;
using headend::exchange::ScadaStationSettings;

namespace {

ScadaStationSettings settings_of() {
    ScadaGroupSettings group;
    group.name = "room";
    group.outstation.commands = true;
    ScadaStationSettings settings;
    settings.link = "dms";
    settings.listener.port = 0;
    settings.listener.groups = {group};
    settings.poll_real = std::chrono::milliseconds{50};
    return settings;
}

ScadaPoint point_of(int address, int type, ScadaQuantity quantity, DeviceNumber device) {
    ScadaPoint point;
    point.address = address;
    point.type = type;
    point.quantity = quantity;
    point.device = device;
    point.freshness_s = 31'536'000;
    point.writable = quantity == ScadaQuantity::relay_command;
    return point;
}

/// A station on a thread of its own over a database with three meters.
class Room {
public:
    Room()
        : loop_(std::make_shared<platform::ScaledClock>()),
          workers_(loop_, 1, 64),
          queue_(
              town.database.settings("wm_exchange"), 1, workers_,
              [this](std::function<void()> completion) { loop_.post(std::move(completion)); },
              [](const std::string&) {}) {
        ScadaPoints points{town.admin};
        points.add_link(TenantId{1}, "dms", midnight, "tester");
        put({point_of(1, 1, ScadaQuantity::online, unit),
             point_of(300'000, 13, ScadaQuantity::customers, unit),
             point_of(100'001, 3, ScadaQuantity::relay, customer(0)),
             point_of(500'001, 46, ScadaQuantity::relay_command, customer(0)),
             point_of(500'002, 46, ScadaQuantity::relay_command, customer(1))});
        town.admin.execute("update meter set protected_why = 'hospital' where number = " +
                               std::to_string(customer(1).integer()),
                           "protecting");
        station_ = std::make_unique<ScadaStation>(loop_, settings_of(), nullptr, queue_);
        port_ = std::to_string(station_->port());
        loop_.post([this] { station_->start(); });
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~Room() {
        loop_.post([this] {
            station_->stop();
            loop_.stop();
        });
        thread_.join();
    }
    void put(const std::vector<ScadaPoint>& table) {
        ScadaPoints points{town.admin};
        Transaction transaction{town.admin};
        REQUIRE(points.replace(points.link("dms").value(), table, midnight, "tester").empty());
        transaction.commit();
    }
    Run ask(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--tcp", "127.0.0.1:" + port_, "--station", "1", "--json"});
        return tool(std::move(more));
    }
    /// Asks until the answer holds the text; the last answer, in any case.
    Run until(const std::string& text) {
        Run run;
        CHECK(comes([&] {
            run = ask();
            return run.out.find(text) != std::string::npos;
        }));
        return run;
    }

    Town town;

private:
    platform::Loop loop_;
    platform::WorkerQueue workers_;
    QueryQueue queue_;
    std::unique_ptr<ScadaStation> station_;
    std::string port_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("station: shows what the database holds, and takes a new table over while it runs", "[exchange]") {
    Room room;
    auto run = room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})");
    CHECK(run.status == 0);
    CHECK_THAT(run.out,
               Catch::Contains(R"("address":1,"type":"M_SP_NA_1","cause":20,"value":1,"quality":""})"));
    CHECK_THAT(run.out, Catch::Contains(R"("address":100001,"type":"M_DP_NA_1","cause":20,"value":0,)"
                                        R"("quality":"invalid"})"));
    room.put({point_of(300'000, 13, ScadaQuantity::customers, unit),
              point_of(300'001, 13, ScadaQuantity::dark, unit)});
    run = room.until(R"("address":300001,"type":"M_ME_NC_1","cause":20,"value":0,"quality":""})");
    CHECK_THAT(run.out, !Catch::Contains(R"("address":100001)"));
    CHECK_THAT(run.out,
               Catch::Contains(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})"));
}

TEST_CASE("station: what the link shows no more is invalid", "[exchange]") {
    Room room;
    room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})");
    room.town.admin.execute("update scada_link set areas = '{2}'", "taking the area away");
    const auto run =
        room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":"invalid"})");
    CHECK_THAT(run.out, Catch::Contains(
                            R"("address":1,"type":"M_SP_NA_1","cause":20,"value":1,"quality":"invalid"})"));
    room.town.admin.execute("update scada_link set areas = null", "giving it back");
    room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})");
}

TEST_CASE("station: a command waits for its relay job and ends as that does", "[exchange]") {
    Room room;
    room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})");
    const bool works = GENERATE(true, false);
    // Stands for the monitor role, which switches.
    std::thread monitor{[&] {
        JobWork work{room.town.monitor, "monitor"};
        const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
        const auto until = now + std::chrono::minutes{1};
        std::vector<HeldJob> open;
        if (!comes([&] {
                open = work.claim({{"relay", 1}}, now, until);
                return !open.empty();
            }))
            return;  // the command fails, and with it the test
        work.begin(open[0].id, now, until, 1, {});
        work.finish(open[0].id, 1,
                    {works ? ItemState::done : ItemState::failed, works ? "disconnected" : "no_answer"},
                    now + std::chrono::seconds{1});
    }};
    const auto run = room.ask({"--command", "500001=off", "--command-timeout", "60"});
    monitor.join();
    INFO(run.out);
    CHECK(run.status == (works ? 0 : 1));
    CHECK_THAT(run.out, Catch::Contains(R"({"step":"select","passed":true)"));
    CHECK_THAT(run.out,
               Catch::Contains(works ? R"({"step":"execute","passed":true)"
                                     : R"({"step":"execute","passed":false,"why":"confirmed, then failed")"));
    if (works) room.until(R"("address":100001,"type":"M_DP_NA_1","cause":20,"value":1,"quality":""})");
    CHECK(room.town.value("select count(*) from job where kind = 'relay' and requested_by = 'scada:dms'") ==
          1);
}

TEST_CASE("station: a protected meter refuses its command at once", "[exchange]") {
    Room room;
    room.until(R"("address":300000,"type":"M_ME_NC_1","cause":20,"value":3,"quality":""})");
    const auto run = room.ask({"--command", "500002=off"});
    CHECK(run.status == 1);
    CHECK_THAT(run.out, Catch::Contains(R"({"step":"execute","passed":false,"why":"refused")"));
    CHECK(room.town.value("select count(*) from job") == 0);
    CHECK(room.town.value("select count(*) from audit where action = 'relay refused'") == 1);
}
