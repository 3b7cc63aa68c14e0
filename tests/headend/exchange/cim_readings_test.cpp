// IEC 61968-9: GetMeterReadings, at once and by a reply, in the partner's dialect.
#include <catch2/catch.hpp>

#include "headend/database/cim_dialects.h"
#include "headend/database/on_demand_log.h"
#include "protocol/cim/reading_type.h"
#include "terminal-sim/tool/cim_partner.h"
#include "tests/db/work_bench.h"
#include "tests/headend/exchange/rest_scene.h"
#include "tests/headend/exchange/xsd.h"

using namespace wattmesh;
using namespace wattmesh::test;
using sim::CimRequestText;

namespace {

const std::string import = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0";
const std::string day_begin = "2026-03-10T00:00:00Z", day_end = "2026-03-11T00:00:00Z";

std::string m(int i) { return to_string(customer(i)); }

CimRequestText get_request(const std::string& id, const std::vector<std::string>& meters,
                           const std::vector<std::string>& types = {}, const std::string& from = day_begin,
                           const std::string& to = day_end) {
    return {.verb = "get",
            .noun = "MeterReadings",
            .message_id = id,
            .request = sim::get_meter_readings(meters, types, from, to)};
}

/// The answer, which must be valid.
sim::CimSaid said_by(RestScene& scene, const std::string& partner, const CimRequestText& request) {
    REQUIRE(schema_faults(sim::write_request(request)).empty());
    const auto reply = scene.cim(partner, sim::write_request(request));
    REQUIRE(reply.status == 200);
    CHECK(schema_faults(reply.body) == "");
    return sim::parse_said(reply.body);
}

void speak(RestScene& scene, const std::string& partner, const CimDialect& dialect) {
    CimDialects{scene.town.admin}.put(scene.contract(partner).id, dialect);
}

}  // namespace

TEST_CASE("61968 readings: the stored values, exact, in the contract's unit", "[exchange][cim][db]") {
    RestScene scene;
    const auto said = said_by(scene, "north", get_request("a", {m(1), m(0)}, {import}));
    CHECK(said.root == "ResponseMessage");
    CHECK(said.verb == "reply");
    CHECK(said.noun == "MeterReadings");
    CHECK(said.correlation == "c-a");
    CHECK(said.result == "OK");
    CHECK(said.errors.empty());
    REQUIRE(said.readings.size() == 16);
    // Quarter 1 of meter 0: 10 Wh, in kWh.
    CHECK(said.readings[0] ==
          sim::CimSaid::Reading{
              m(0), "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "2026-03-10T00:15:00Z", "0.010", {}});
    CHECK(said.readings[8].meter == m(1));
    CHECK(said.readings[8].value == "1.010");
    const auto all = said_by(scene, "north", get_request("b", {m(0)}));
    CHECK(all.readings.size() == 32);  // four channels
    const auto later =
        said_by(scene, "north", get_request("c", {m(0)}, {import}, "2026-03-10T01:15:00+00:30", day_end));
    REQUIRE(later.readings.size() == 5);  // from 00:45 UTC, that one not
    CHECK(later.readings[0].at == "2026-03-10T01:00:00Z");
}

TEST_CASE("61968 readings: unit, zone, stamp and codes are the contract's", "[exchange][cim][db]") {
    RestScene scene;
    CimDialect dialect;
    dialect.energy_multiplier = 0;
    dialect.zone = "Europe/Paris";
    dialect.stamp_is_end = false;
    dialect.readings = {{import, "KWH+"}};
    speak(scene, "north", dialect);
    const auto said = said_by(scene, "north", get_request("a", {m(0)}, {"KWH+"}));
    REQUIRE(said.readings.size() == 8);
    CHECK(said.readings[0] == sim::CimSaid::Reading{m(0), "KWH+", "2026-03-10T01:00:00+01:00", "10", {}});
    // Our own code is understood as well, whatever its multiplier.
    CHECK(said_by(scene, "north", get_request("b", {m(0)}, {"0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.6.72.0"}))
              .readings == said.readings);
    // The others' contract is as before.
    CHECK(said_by(scene, "south", get_request("a", {m(2)}, {import})).readings[0].value == "2.010");
}

TEST_CASE("61968 readings: summer time begins in the middle of a day", "[exchange][cim][db]") {
    RestScene scene;
    const auto offsets = CimDialects{scene.exchange}.offsets(
        "Europe/Paris", Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 28}},
        Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 30}});
    REQUIRE(offsets.size() == 2);
    CHECK(offsets[0].offset_s == 3'600);
    CHECK(offsets[1].offset_s == 7'200);
    CHECK(offsets[1].from ==
          Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 29}} + std::chrono::hours{1});
}

TEST_CASE("61968 readings: what is not the contract's is unknown, the rest is answered",
          "[exchange][cim][db]") {
    RestScene scene;
    const auto part = said_by(scene, "north", get_request("a", {m(0), m(2), "bogus"}, {import}));
    CHECK(part.result == "PARTIAL");
    CHECK(part.readings.size() == 8);
    REQUIRE(part.errors.size() == 2);
    CHECK(part.errors[0].code == "2.4");
    CHECK(part.errors[0].object == m(2));
    CHECK(part.errors[1].object == "bogus");
    const auto none = said_by(scene, "south", get_request("a", {m(0), m(1)}, {import}));
    CHECK(none.result == "FAILED");
    CHECK(none.readings.empty());
    CHECK(none.errors.size() == 2);
    const auto codes = said_by(
        scene, "north", get_request("b", {m(0)}, {import, "0.0.2.4.1.1.12.0.0.0.0.7.0.0.0.0.72.0", "1.8.0"}));
    CHECK(codes.result == "PARTIAL");
    CHECK(codes.has("2.10"));
    CHECK(codes.has("2.6"));
    const auto empty = said_by(
        scene, "north", get_request("c", {m(0)}, {import}, "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"));
    CHECK(empty.result == "PARTIAL");
    CHECK(empty.has("5.7"));
    auto contract = scene.contract("north");
    contract.allowed = {"master"};
    scene.put(contract);
    CHECK(said_by(scene, "north", get_request("d", {m(0)}, {import})).has("7.5"));
}

TEST_CASE("61968 readings: a message that comes twice brings the same octets", "[exchange][cim][db]") {
    RestScene scene;
    const auto request = sim::write_request(get_request("same", {m(0)}, {import}));
    const auto first = scene.cim("north", request);
    scene.town.admin.execute("update interval_row set v1 = 7", "changing");
    CHECK(scene.cim("north", request).body == first.body);
    CHECK(said_by(scene, "north", get_request("other", {m(0)}, {import})).readings[0].value == "0.007");
    const auto reused = said_by(scene, "north", get_request("same", {m(1)}, {import}));
    CHECK(reused.result == "FAILED");
    CHECK(reused.has("2.15"));
    // Another contract's ids are its own.
    CHECK(said_by(scene, "south", get_request("same", {m(2)}, {import})).result == "OK");
    CHECK(scene.town.value("select count(*) from cim_message where correlation in ('c-same', 'c-other')") ==
          3);
}

TEST_CASE("61968 readings: a reply follows in pieces, to an address of the contract only",
          "[exchange][cim][db]") {
    RestScene scene;
    scene.town.admin.execute(
        "select make_interval_day(20523); insert into interval_row select meter, at_us + i * 7200000000, "
        "journal, sequence, 0, tenant, area, "
        "bank, "
        "status, v1, v2, v3, v4 from interval_row, generate_series(1, 11) i where at_us <= " +
            std::to_string(epoch_us(quarter(8))),
        "a day of readings");
    sim::CimSink sink{"127.0.0.1", 0};
    const auto address = "http://127.0.0.1:" + std::to_string(sink.port()) + "/cim";
    auto request = get_request("a", {m(0), m(1)});
    request.reply_address = address;
    const auto refused = said_by(scene, "north", request);
    CHECK(refused.result == "FAILED");
    CHECK(refused.has("7.5"));
    CimDialect dialect;
    dialect.reply_to = {address};
    speak(scene, "north", dialect);
    CHECK(said_by(scene, "north", request).has("7.5"));  // the answer of this MessageID
    request.message_id = "b";
    const auto taken = said_by(scene, "north", request);
    CHECK(taken.result == "OK");
    CHECK(taken.has("0.3"));
    CHECK(taken.readings.empty());
    CHECK(said_by(scene, "north", request).has("0.3"));
    while (scene.courier->round()) {
    }
    REQUIRE(sink.bodies().size() == 1);
    CHECK(schema_faults(sink.bodies()[0]) == "");
    const auto reply = sim::parse_said(sink.bodies()[0]);
    CHECK(reply.verb == "reply");
    CHECK(reply.correlation == "c-b");
    CHECK(reply.result == "OK");
    CHECK(reply.has("0.0"));
    request = get_request("c", {m(0), m(1)});
    CHECK(reply.readings == said_by(scene, "north", request).readings);
    CHECK(reply.readings.size() == 2 * 96 * 4);
    CHECK_FALSE(scene.courier->round());

    // What the contract does not allow any more is not sent, whoever asked for it when.
    request.message_id = "d";
    request.reply_address = address;
    CHECK(said_by(scene, "north", request).has("0.3"));
    auto contract = scene.contract("north");
    contract.allowed = {"master"};
    scene.put(contract);
    while (scene.courier->round()) {
    }
    REQUIRE(sink.bodies().size() == 2);
    const auto late = sim::parse_said(sink.bodies()[1]);
    CHECK(late.has("7.5"));
    CHECK(late.readings.empty());
}

TEST_CASE("61968 readings: more than one message holds come as several, at once they are refused",
          "[exchange][cim][db]") {
    RestScene scene;
    scene.town.admin.execute(
        "select make_interval_day(d) from generate_series(20523, 20560) d; insert into interval_row select "
        "meter, at_us + i * 7200000000, journal, sequence, 0, tenant, area, bank, status, v1 + i, v2, v3, v4 "
        "from interval_row, generate_series(1, 399) i where at_us <= " +
            std::to_string(epoch_us(quarter(8))),
        "a month of readings");
    const auto until = "2026-04-20T00:00:00Z";
    const auto many = said_by(scene, "north", get_request("a", {m(0), m(1)}, {}, day_begin, until));
    CHECK(many.result == "FAILED");
    CHECK(many.has("3.1"));
    sim::CimSink sink{"127.0.0.1", 0};
    CimDialect dialect;
    dialect.reply_to = {"http://127.0.0.1:" + std::to_string(sink.port()) + "/"};
    speak(scene, "north", dialect);
    auto request = get_request("b", {m(0), m(1), m(2)}, {}, day_begin, until);
    request.reply_address = dialect.reply_to[0];
    CHECK(said_by(scene, "north", request).has("0.3"));
    while (scene.courier->round()) {
    }
    const auto bodies = sink.bodies();
    REQUIRE(bodies.size() == 3);  // 2 meters, 3200 rows, 4 channels: 25 600 readings
    std::set<std::tuple<std::string, std::string, std::string>> seen;
    std::size_t readings = 0;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        CHECK(schema_faults(bodies[i]) == "");
        const auto reply = sim::parse_said(bodies[i]);
        CHECK(reply.readings.size() <= 10'000);
        CHECK(reply.has(i + 1 < bodies.size() ? "0.1" : "0.2"));
        CHECK(reply.has("2.4") == (i + 1 == bodies.size()));  // the meter of somebody else
        readings += reply.readings.size();
        for (const auto& one : reply.readings) seen.insert({one.meter, one.type, one.at});
    }
    CHECK(readings == 25'600);
    CHECK(seen.size() == 25'600);
}

TEST_CASE("61968 readings: a message that is full with the end of a profile is followed by the next profile",
          "[exchange][cim][db]") {
    RestScene scene;
    const auto eighth = std::to_string(epoch_us(quarter(8)));
    scene.town.admin.execute(
        "select make_interval_day(d) from generate_series(20523, 20580) d; insert into interval_row select "
        "meter, at_us + i * 7200000000, journal, sequence, 0, tenant, area, bank, status, v1 + i, v2, v3, v4 "
        "from interval_row, generate_series(1, 624) i where at_us <= " +
            eighth +
            "; insert into interval_row select meter, at_us, journal, sequence, 0, tenant, area, 2, status, "
            "4711 from interval_row where at_us = " +
            eighth,
        "5000 quarters of each meter and a daily value");
    const auto daily = cim::reading_type(obis::active_import_total, cim::Capture::stored, 86'400, 0, 30);
    REQUIRE(daily);
    sim::CimSink sink{"127.0.0.1", 0};
    CimDialect dialect;
    dialect.reply_to = {"http://127.0.0.1:" + std::to_string(sink.port()) + "/"};
    speak(scene, "north", dialect);
    auto request =
        get_request("a", {m(0), m(1)}, {import, to_string(*daily)}, day_begin, "2026-05-20T00:00:00Z");
    request.reply_address = dialect.reply_to[0];
    CHECK(said_by(scene, "north", request).has("0.3"));
    while (scene.courier->round()) {
    }
    const auto bodies = sink.bodies();
    REQUIRE(bodies.size() == 2);
    CHECK(sim::parse_said(bodies[0]).readings.size() == 10'000);
    const auto second = sim::parse_said(bodies[1]);
    CHECK(second.has("0.0"));
    REQUIRE(second.readings.size() == 2);
    CHECK(second.readings[0].meter == m(0));
    CHECK(second.readings[0].value == "4.711");
    CHECK(second.readings[1].meter == m(1));
}

TEST_CASE("61968 readings: a reply that cannot be written ends with an error and holds up nobody",
          "[exchange][cim][db]") {
    RestScene scene;
    sim::CimSink sink{"127.0.0.1", 0};
    CimDialect dialect;
    dialect.reply_to = {"http://127.0.0.1:" + std::to_string(sink.port()) + "/"};
    for (const auto* partner : {"north", "south"}) speak(scene, partner, dialect);
    auto request = get_request("a", {m(0)}, {import});
    request.reply_address = dialect.reply_to[0];
    for (const auto* id : {"refused", "broken"}) {
        request.message_id = id;
        CHECK(said_by(scene, "north", request).has("0.3"));
    }
    request = get_request("a", {m(2)}, {import});
    request.reply_address = dialect.reply_to[0];
    CHECK(said_by(scene, "south", request).has("0.3"));
    scene.town.admin.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; "
        "create trigger refuse before insert on cim_reply for each row when (new.body like '%c-refused%') "
        "execute function refuse(); update cim_message set request = '<' where message_id = 'broken'",
        "making one that the database refuses and one that cannot be read any more");
    for (int round = 0; round < 3; ++round) scene.courier->round();
    const auto bodies = sink.bodies();
    REQUIRE(bodies.size() == 2);
    std::map<std::string, sim::CimSaid> said;
    for (const auto& body : bodies) {
        CHECK(schema_faults(body) == "");
        const auto one = sim::parse_said(body);
        said[one.correlation] = one;
    }
    CHECK(said["c-broken"].has("5.3"));
    CHECK(said["c-broken"].readings.empty());
    CHECK(said["c-a"].readings.size() == 8);
    CHECK(scene.town.value("select count(*) from cim_message where not closed and reply_to is not null") ==
          1);
    CHECK(std::count_if(scene.lines.begin(), scene.lines.end(), [](const std::string& line) {
              return line.find("message=refused") != std::string::npos;
          }) == 1);
}

TEST_CASE("61968 readings: meters are read now, and the reply has what they said", "[exchange][cim][db]") {
    RestScene scene;
    sim::CimSink sink{"127.0.0.1", 0};
    CimDialect dialect;
    dialect.reply_to = {"http://127.0.0.1:" + std::to_string(sink.port()) + "/"};
    speak(scene, "north", dialect);
    auto request = get_request("a", {m(0), m(1), m(2)}, {"0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"}, "", "");
    CHECK(said_by(scene, "north", request).has("5.8"));  // without a reply it cannot be
    request.message_id = "b";
    request.reply_address = dialect.reply_to[0];
    const auto taken = said_by(scene, "north", request);
    CHECK(taken.result == "PARTIAL");
    CHECK(taken.has("0.3"));
    CHECK(taken.has("2.4"));
    REQUIRE(taken.ids.size() == 1);
    CHECK(
        scene.town.value("select count(*) from job j join job_item i on i.job = j.id where kind = 'read' and "
                         "requested_by = 'partner:north' and parameters like '%1-0:1.8.0*255%'") == 2);
    CHECK_FALSE(scene.courier->round());  // nothing is done yet
    const JobId job{std::stoll(taken.ids[0])};
    OnDemandLog{scene.town.monitor}.put({MeterId{scene.town.value("select id from meter where number = " +
                                                                  std::to_string(customer(0).integer()))},
                                         obis::active_import_total, scene.clock.at, 12'345, 0, 30,
                                         "on_demand"});
    end_item(scene.town.monitor, job, 1, {ItemState::done, "12345 Wh"}, scene.clock.at);
    end_item(scene.town.monitor, job, 2, {ItemState::failed, "unreachable"}, scene.clock.at);
    while (scene.courier->round()) {
    }
    REQUIRE(sink.bodies().size() == 1);
    CHECK(schema_faults(sink.bodies()[0]) == "");
    const auto reply = sim::parse_said(sink.bodies()[0]);
    REQUIRE(reply.readings.size() == 1);
    CHECK(reply.readings[0] ==
          sim::CimSaid::Reading{
              m(0), "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "2026-03-10T14:00:00Z", "12.345", {}});
    CHECK(reply.result == "PARTIAL");
    CHECK(reply.has("0.2"));
    CHECK(reply.has("4.1"));
    CHECK(reply.has("2.4"));
}

TEST_CASE("61968 readings: everything at once is one valid document of the same values",
          "[exchange][cim][db]") {
    RestScene scene;
    const auto path = "/partner/v1/readings?from=" + day_begin + "&to=" + day_end;
    const auto whole = scene.get("north", path, "application/xml");
    CHECK(whole.status == 200);
    CHECK(whole.header("content-type") == "application/xml; charset=utf-8");
    CHECK(schema_faults(whole.body, "MeterReadings.xsd") == "");
    const auto said = sim::parse_said(whole.body);
    CHECK(said.readings == said_by(scene, "north", get_request("a", {m(0), m(1)})).readings);
    const auto one = scene.get("south", path + "&register=1-0:1.8.0*255", "application/xml");
    CHECK(sim::parse_said(one.body).readings.size() == 16);
}
