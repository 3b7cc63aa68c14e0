#include <catch2/catch.hpp>

#include "headend/database/outages.h"
#include "headend/monitor/alarm_watch.h"
#include "headend/monitor/outage_watch.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using headend::monitor::look_after_alarms;
using headend::monitor::look_after_outages;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Instant noon = midnight + std::chrono::hours{12};

/// Two transformers of one feeder with ten customers each; the concentrator stands at the first and reads
/// all.
struct Street {
    Street() {
        town.admin.execute(
            "insert into network_node (tenant, area, kind, number, name) values (1, 1, 2, 'F1', 'Mill'), "
            "(1, 1, 3, 'TX-1', 'Church'), (1, 1, 3, 'TX-2', 'School');"
            "insert into network_node (tenant, area, kind, number, name) select 1, 1, 4, 'U' || i, '' from "
            "generate_series(0, 19) i;"
            "insert into network_link (node, kind, parent, from_us, tenant, area) select t.id, 3, f.id, 0, "
            "1, 1 "
            "from network_node t, network_node f where t.kind = 3 and f.kind = 2;"
            "insert into network_link (node, kind, parent, from_us, tenant, area) select u.id, 4, t.id, 0, "
            "1, 1 "
            "from network_node u join network_node t on t.number = case when substr(u.number, 2)::int < 10 "
            "then 'TX-1' else 'TX-2' end where u.kind = 4;"
            "insert into meter_installation (meter, node, kind, from_us, tenant, area) select m.id, u.id, 4, "
            "0, "
            "1, 1 from meter m join network_node u on u.number = 'U' || (m.number - 540000000000);"
            "insert into concentrator_site (concentrator, transformer, from_us, tenant, area) select c.id, "
            "t.id, 0, 1, 1 from concentrator c, network_node t where t.number = 'TX-1';"
            "update concentrator set state = 1, link = 1, last_seen_us = " +
                std::to_string(epoch_us(noon)),
            "wiring a street");
    }
    /// kind 10: dark, 11: back.
    void word(int kind, int meter, Instant at) {
        town.admin.execute(
            "insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, "
            "clock_doubtful, received_us, inferred) select " +
                to_string(customer(meter)) + ", 1, " + std::to_string(++sequence) + ", id, 1, 1, " +
                std::to_string(kind) + ", " + std::to_string(epoch_us(at)) + ", false, " +
                std::to_string(epoch_us(at)) + ", false from concentrator",
            "telling of power");
    }
    std::vector<OutageRow> look(Instant now) {
        look_after_outages(town.monitor, {}, now);
        return Outages{town.monitor}.list(noon - minutes{1}, 10);
    }
    Town town{20};
    int sequence = 0;
};

}  // namespace

TEST_CASE("outages: a dark transformer is stored, grows with late words, ends, and is counted", "[db]") {
    Street street;
    CHECK(street.look(noon).empty());
    for (int i = 10; i < 14; ++i) street.word(10, i, noon);
    auto rows = street.look(noon + seconds{10});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].transformer == "TX-2");
    CHECK_FALSE(rows[0].outage.whole);  // four of ten: a branch, until half are dark
    CHECK(rows[0].outage.customers == 4);
    CHECK(rows[0].feeder.empty());
    for (int i = 14; i < 20; ++i) street.word(10, i, noon + seconds{4});
    rows = street.look(noon + seconds{20});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].outage.whole);
    CHECK(rows[0].outage.customers == 10);
    CHECK_FALSE(look_after_outages(street.town.monitor, {}, noon + seconds{30}));
    for (int i = 10; i < 20; ++i) street.word(11, i, noon + minutes{40} + seconds{i});
    rows = street.look(noon + minutes{42});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].outage.to == noon + minutes{40} + seconds{11});
    CHECK(Outages{street.town.monitor}.customers(noon) == 20);
}

TEST_CASE("outages: two transformers at once are their feeder's, and one alarm", "[db]") {
    Street street;
    for (int i = 0; i < 20; ++i) street.word(10, i, noon + seconds{i % 3});
    street.town.admin.execute("update concentrator set link = 0", "dying");
    CHECK(look_after_alarms(street.town.monitor, {}, noon + minutes{5}) == 1);
    const auto rows = Outages{street.town.monitor}.list(noon, 10);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].feeder == "F1");
    CHECK(rows[1].feeder == "F1");
    const auto alarms = Alarms{street.town.monitor}.list({});
    REQUIRE(alarms.size() == 1);  // the concentrator that went along is explained
    CHECK(alarms[0].rule == "power_cut");
    CHECK(alarms[0].object == AlarmObject{"feeder", "F1"});
    CHECK(alarms[0].text == "20 meters dark under 2 transformers, 20 said so");
    CHECK(alarms[0].hides == 1);
}

TEST_CASE("outages: a concentrator that is down is no power cut", "[db]") {
    Street street;
    street.town.admin.execute("update concentrator set link = 0", "dying");
    street.word(10, 3, noon);
    CHECK(street.look(noon + minutes{5}).empty());
    CHECK(look_after_alarms(street.town.monitor, {}, noon + minutes{5}) == 1);
    CHECK(Alarms{street.town.monitor}.list({}).at(0).rule == "concentrator_offline");
}
