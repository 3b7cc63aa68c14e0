// What control rooms see: point tables with versions, and where their values come from.
#include "headend/database/scada_points.h"

#include <catch2/catch.hpp>

#include "headend/exchange/scada_order.h"
#include "tests/db/town.h"
#include "tests/db/work_bench.h"

using namespace wattmesh;
using namespace wattmesh::test;
using headend::exchange::place;
using headend::exchange::ScadaOrder;
using headend::monitor::RelayVerb;

namespace {

ScadaPoint point_of(int address, int type, ScadaQuantity quantity, DeviceNumber device) {
    ScadaPoint point;
    point.address = address;
    point.type = type;
    point.quantity = quantity;
    point.device = device;
    return point;
}

struct Linked {
    Linked() {
        points.add_link(TenantId{1}, "dms", midnight, "tester");
        town.admin.execute(
            "update meter set role = 1 where number = " + std::to_string(customer(2).integer()),
            "making a summary meter");
    }
    ScadaLink link() { return points.link("dms").value(); }
    std::string put(const std::vector<ScadaPoint>& table) {
        Transaction transaction{town.admin};
        auto refusal = points.replace(link(), table, midnight, "tester");
        if (refusal.empty()) transaction.commit();
        return refusal;
    }
    std::optional<ScadaValue> value(int address) {
        ScadaPoints reader{exchange};
        for (const auto& one : reader.values(link(), quarter(9)))
            if (one.address == address) return one;
        return std::nullopt;
    }
    Town town;
    Connection exchange{town.database.settings("wm_exchange")};
    ScadaPoints points{town.admin};
};

}  // namespace

TEST_CASE("scada: a point table has versions, and no address ever means something else", "[db]") {
    Linked linked;
    const std::vector<ScadaPoint> first{point_of(1, 1, ScadaQuantity::online, unit),
                                        point_of(200'001, 13, ScadaQuantity::power, customer(0))};
    CHECK(linked.put(first).empty());
    CHECK(linked.link().version == 1);
    CHECK(ScadaPoints{linked.exchange}.points(linked.link()) == first);
    auto second = first;
    second[1].scale = 1'000;  // how it is shown may change
    second.pop_back();
    CHECK(linked.put(second).empty());
    CHECK(linked.link().version == 2);
    second.push_back(point_of(200'001, 13, ScadaQuantity::power, customer(1)));
    CHECK_THAT(linked.put(second),
               Catch::StartsWith("1/200001 meant power of " + std::to_string(customer(0).integer())));
    CHECK(linked.link().version == 2);
}

TEST_CASE("scada: power, energy, customers and presence come from what is stored", "[db]") {
    Linked linked;
    auto& town = linked.town;
    CHECK(
        linked
            .put({point_of(1, 1, ScadaQuantity::online, unit), point_of(2, 1, ScadaQuantity::supply, unit),
                  point_of(3, 13, ScadaQuantity::power, customer(0)),
                  point_of(4, 13, ScadaQuantity::power, unit),
                  point_of(5, 15, ScadaQuantity::import_energy, customer(0)),
                  point_of(6, 13, ScadaQuantity::customers, unit), point_of(7, 13, ScadaQuantity::dark, unit),
                  point_of(8, 3, ScadaQuantity::relay, customer(0)),
                  point_of(9, 13, ScadaQuantity::power, customer(1))})
            .empty());
    // v1 = 10 x energy, v2 = v1 + 1: net of export -1 Wh in a quarter hour is -4 W
    town.store(town.batch(0, 2,
                          {Town::entry(0, 1, {interval(quarter(1), 1), interval(quarter(2), 5)}),
                           Town::entry(2, 2, {interval(quarter(3), 7)})}));
    town.monitor.execute(
        "select recompute_day(1::smallint, " +
            std::to_string(std::chrono::floor<std::chrono::days>(midnight).time_since_epoch().count()) +
            ", " + std::to_string(town.id.value) + ")",
        "aggregating");
    REQUIRE(linked.value(3));
    CHECK(linked.value(3)->value == Approx(-4));
    CHECK(linked.value(3)->at == quarter(2));
    CHECK_FALSE(linked.value(3)->offline);
    REQUIRE(linked.value(4));  // the transformer's summary meter
    CHECK(linked.value(4)->at == quarter(3));
    CHECK_FALSE(linked.value(9));  // never read
    CHECK_FALSE(linked.value(5));
    town.admin.execute("insert into register_reading select id, '1-0:1.8.0*255', " +
                           std::to_string(epoch_us(quarter(4))) +
                           ", 'test', tenant, area, 123456, 1, 30 from meter where number = " +
                           std::to_string(customer(0).integer()),
                       "reading a register");
    REQUIRE(linked.value(5));
    CHECK(linked.value(5)->value == 1'234'560);  // scaler 1: tens of Wh
    CHECK(linked.value(1)->value == 1);
    CHECK(linked.value(2)->value == 1);
    CHECK(linked.value(6)->value == 2);
    CHECK(linked.value(7)->value == 0);
    CHECK_FALSE(linked.value(8));
    const auto event = [&](int kind, DeviceNumber meter, int sequence) {
        town.admin.execute(
            "insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, "
            "at_us, clock_doubtful, received_us) values (" +
                std::to_string(meter.integer()) + ", 1, " + std::to_string(sequence) + ", " +
                std::to_string(town.id.value) + ", 1, 1, " + std::to_string(kind) + ", " +
                std::to_string(epoch_us(quarter(sequence))) + ", false, 0)",
            "telling an event");
    };
    event(10, customer(0), 5);
    event(12, DeviceNumber{}, 5);
    CHECK(linked.value(2)->value == 0);
    CHECK(linked.value(2)->at == quarter(5));
    CHECK(linked.value(7)->value == 1);
    event(11, customer(0), 6);
    event(13, DeviceNumber{}, 6);
    CHECK(linked.value(2)->value == 1);
    CHECK(linked.value(7)->value == 0);
    town.admin.execute("update concentrator set link = 0", "hanging up");
    CHECK(linked.value(1)->value == 0);
    CHECK(linked.value(3)->offline);
}

TEST_CASE("scada: a link of some areas shows nothing of others, and its role nothing that it does not need",
          "[db]") {
    Linked linked;
    CHECK(linked
              .put({point_of(1, 1, ScadaQuantity::online, unit),
                    point_of(2, 13, ScadaQuantity::customers, unit)})
              .empty());
    CHECK(linked.value(1));
    CHECK(ScadaPoints{linked.exchange}.shows(linked.link(), customer(0)));
    linked.town.admin.execute("update scada_link set areas = '{2}'", "limiting a link");
    CHECK_FALSE(linked.value(1));
    CHECK_FALSE(linked.value(2));
    CHECK_FALSE(ScadaPoints{linked.exchange}.shows(linked.link(), customer(0)));
    for (const char* forbidden :
         {"select * from meter_key", "select * from vend_token", "update meter set protected_why = null",
          "delete from job", "update job set state = 'done'",
          "insert into scada_point select * from scada_point", "select * from user_account"})
        CHECK_THROWS_AS(linked.exchange.execute(forbidden, "trying"), DatabaseError);
}

TEST_CASE("scada: a command becomes a relay job through the gate, or a line of the audit log says why not",
          "[db]") {
    Linked linked;
    auto& town = linked.town;
    const ScadaOrder order{linked.link(), point_of(500'001, 46, ScadaQuantity::relay_command, customer(0)),
                           RelayVerb::disconnect, "originator 3, from 192.0.2.7:41000"};
    const auto placed = place(linked.exchange, order, quarter(1));
    REQUIRE(placed);
    const auto job = Jobs{town.monitor}.find(*placed).value();
    CHECK(job.kind == "relay");
    CHECK(job.state == JobState::queued);
    CHECK(job.requested_by == "scada:dms");
    CHECK(job.total == 1);
    CHECK(
        town.value("select count(*) from audit where action = 'job relay' and actor = 'scada:dms' and reason "
                   "like '%originator 3, from 192.0.2.7%'") == 1);
    town.admin.execute(
        "update meter set protected_why = 'hospital' where number = " + std::to_string(customer(0).integer()),
        "protecting");
    CHECK_FALSE(place(linked.exchange, order, quarter(1)));
    CHECK(town.value("select count(*) from audit where action = 'relay refused' and detail = 'disconnect, "
                     "protected'") == 1);
    auto unknown = order;
    unknown.point.device = number("549999999998");
    CHECK_FALSE(place(linked.exchange, unknown, quarter(1)));
    CHECK(town.value("select count(*) from job") == 1);
    // what the relay job stores is what the point shows next
    CHECK(linked.put({point_of(100'001, 3, ScadaQuantity::relay, customer(0))}).empty());
    const auto switched = quarter(1) + std::chrono::minutes{1};
    end_item(town.monitor, *placed, 1, {ItemState::done, "disconnected"}, switched);
    REQUIRE(linked.value(100'001));
    CHECK(linked.value(100'001)->value == 1);
    CHECK(linked.value(100'001)->at == switched);
}
