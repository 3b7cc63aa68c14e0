#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>

#include "protocol/base/obis.h"
#include "tests/headend/console/site.h"

using namespace wattmesh;
using Poco::JSON::Array;
using Poco::JSON::Object;
using wattmesh::test::SiteUnderTest;

namespace {

Object::Ptr object(const test::Reply& reply) {
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    return Poco::JSON::Parser{}.parse(reply.body).extract<Object::Ptr>();
}
int number(const Object::Ptr& of, const std::string& name) { return of->getValue<int>(name); }
std::string text(const Object::Ptr& of, const std::string& name) { return of->getValue<std::string>(name); }
Object::Ptr item(const Object::Ptr& of, const std::string& array, unsigned i) {
    return of->getArray(array)->getObject(i);
}

struct SignedIn : SiteUnderTest {
    SignedIn() { REQUIRE(sign_in("ada").status == 200); }
};

}  // namespace

TEST_CASE_METHOD(SignedIn, "console overview: counts what is there", "[console]") {
    const auto overview = object(get("/api/overview"));
    CHECK(number(overview->getObject("concentrators"), "known") == 2);
    CHECK(number(overview->getObject("concentrators"), "online") == 1);
    CHECK(number(overview->getObject("meters"), "known") == 16);
    CHECK(number(overview->getObject("meters"), "joined") == 12);
    // due at 14:25: ends 00:15 to 14:15 are 57 intervals of 16 meters; received: 11 customers and the summary
    // meter, less 4
    CHECK(number(overview->getObject("completeness"), "expected") == 57 * 16);
    CHECK(number(overview->getObject("completeness"), "received") == 57 * 12 - 4);
    const auto missing = overview->getObject("completeness")->getArray("missing");
    std::map<std::string, int> reasons;
    for (unsigned i = 0; i < missing->size(); ++i)
        reasons[text(missing->getObject(i), "reason")] = number(missing->getObject(i), "intervals");
    CHECK(reasons == std::map<std::string, int>{{"no_answer", 4}, {"not_read", 57}, {"no_route", 171}});
    CHECK(number(overview->getObject("store"), "rows") == 1900);
    CHECK(number(overview, "conflicts") == 1);
    CHECK(number(overview, "rejected") == 1);
    CHECK(number(overview, "quarantine") == 1);
    REQUIRE(overview->getArray("hops")->size() == 3);
    CHECK(number(item(overview, "hops", 2), "hops") == 3);
    CHECK(number(item(overview, "hops", 2), "meters") == 3);
}

TEST_CASE_METHOD(SignedIn, "console concentrators: state, certificate, journals and objects", "[console]") {
    const auto list = object(get("/api/concentrators"));
    REQUIRE(list->getArray("items")->size() == 2);
    CHECK(text(item(list, "items", 0), "state") == "online");
    CHECK(text(item(list, "items", 1), "state") == "offline");
    const auto one = object(get("/api/concentrators/900000000001"));
    CHECK(text(one, "summary_meter") == "800000000001");
    CHECK(text(one->getObject("certificate"), "serial") == "5A01");
    CHECK(number(item(one, "journals", 0), "acknowledged") == 2000);
    CHECK(text(item(one, "objects", 0), "object") == "meter_list");
    CHECK(number(item(one, "objects", 0), "confirmed") == 4);
    CHECK(object(get("/api/concentrators/900000000002"))->isNull("certificate"));
}

TEST_CASE_METHOD(SignedIn, "console statistics: the concentrator's own counters, or that it does not answer",
                 "[console]") {
    const auto silent = object(get("/api/concentrators/900000000001/statistics"));
    CHECK_FALSE(silent->getValue<bool>("live"));
    CHECK_FALSE(silent->has("reads"));
    reads.counts = dcu::Statistics{10, 9, 1, 0, 40, 38, 2};
    const auto live = object(get("/api/concentrators/900000000001/statistics"));
    CHECK(live->getValue<bool>("live"));
    CHECK(live->getValue<int>("reads") == 10);
    CHECK(live->getValue<int>("reads_first_try") == 9);
    CHECK(live->getValue<int>("frames_refused") == 2);
}

TEST_CASE_METHOD(SignedIn, "console topology: live when the concentrator answers, else from its events",
                 "[console]") {
    const auto stored = object(get("/api/concentrators/900000000001/topology"));
    CHECK(text(stored, "source") == "stored");
    REQUIRE(stored->getArray("nodes")->size() == 13);
    const auto deep = item(stored, "nodes", 8);  // ...09 behind ...05 behind ...01
    CHECK(text(deep, "number") == "540000000009");
    CHECK(number(deep, "hops") == 3);
    CHECK(deep->getArray("route")->getElement<std::string>(0) == "540000000001");
    CHECK(deep->getArray("route")->getElement<std::string>(1) == "540000000005");
    CHECK(text(item(stored, "nodes", 11), "state") == "unseen");

    const auto parent = DeviceNumber::parse("540000000002").value();
    reads.nodes = {{{.number = DeviceNumber::parse("540000000009").value(),
                     .state = dcu::NodeState::suspect,
                     .short_address = 9,
                     .parent = parent,
                     .hops = 2,
                     .rssi_dbm = -88,
                     .etx_percent = 240,
                     .last_heard = clock.now(),
                     .route = {parent},
                     .alternative = {DeviceNumber::parse("540000000001").value()}}}};
    const auto live = object(get("/api/concentrators/900000000001/topology"));
    CHECK(text(live, "source") == "live");
    const auto node = item(live, "nodes", 8);
    CHECK(text(node, "state") == "suspect");
    CHECK(text(node, "parent") == "540000000002");
    CHECK(number(node, "etx_percent") == 240);
    CHECK(node->getArray("alternative")->size() == 1);
    CHECK(node->isNull("sub_address"));
}

TEST_CASE_METHOD(SignedIn, "console topology: a collector is a node, and its meters are on its wire",
                 "[console]") {
    run("insert into wattmesh.collector (tenant, area, number, concentrator, mesh_join, registered_us) "
        "select 1, "
        "1, 700000000001, id, '', 0 from wattmesh.concentrator where number = 900000000001");
    const auto box = DeviceNumber::parse("700000000001").value();
    reads.nodes = {{{.number = box,
                     .state = dcu::NodeState::joined,
                     .short_address = 3,
                     .parent = {},
                     .hops = 1,
                     .route = {},
                     .alternative = {}},
                    {.number = DeviceNumber::parse("540000000009").value(),
                     .state = dcu::NodeState::joined,
                     .parent = box,
                     .hops = 2,
                     .last_heard = clock.now(),
                     .route = {box},
                     .alternative = {},
                     .sub_address = 7}}};
    const auto live = object(get("/api/concentrators/900000000001/topology"));
    REQUIRE(live->getArray("nodes")->size() == 14);
    CHECK(text(item(live, "nodes", 0), "role") == "collector");
    CHECK(text(item(live, "nodes", 0), "number") == "700000000001");
    const auto wired = item(live, "nodes", 9);
    CHECK(text(wired, "number") == "540000000009");
    CHECK(text(wired, "parent") == "700000000001");
    CHECK(number(wired, "sub_address") == 7);
    CHECK(wired->isNull("rssi_dbm"));
    CHECK(wired->isNull("etx_percent"));
    const auto meter = object(get("/api/meters/540000000009"));
    CHECK(number(meter, "sub_address") == 7);
    CHECK(meter->isNull("rssi_dbm"));
    CHECK(meter->isNull("etx_percent"));
}

TEST_CASE_METHOD(SignedIn, "console mesh: hops, who hangs below whom, and who is not reached", "[console]") {
    const auto shape = object(get("/api/concentrators/900000000001/mesh"));
    CHECK(text(shape, "source") == "stored");
    CHECK(number(shape, "nodes") == 13);
    // ...01 to ...04 hang on the concentrator, ...05 to ...08 on them, ...09 to ...11 on those; ...12 never
    // joined.
    int below_first = 0;
    for (unsigned i = 0; i < shape->getArray("relays")->size(); ++i)
        if (text(item(shape, "relays", i), "number") == "540000000001")
            below_first = static_cast<int>(item(shape, "relays", i)->getArray("below")->size());
    CHECK(below_first == 2);
    REQUIRE(shape->getArray("unreached")->size() >= 1);
    CHECK(text(item(shape, "unreached", 0), "number") == "540000000012");
    CHECK(item(shape, "unreached", 0)->isNull("last_reached"));
    CHECK(shape->getObject("repeater")->getArray("sites")->empty());

    // ...05 falls silent, and ...09 behind it: next to ...05, or to ...01 that heard it, a repeater gains
    // both.
    const auto joined = [](const char* number, int hops, std::vector<DeviceNumber> route) {
        return dcu::TopologyNode{.number = DeviceNumber::parse(number).value(),
                                 .state = dcu::NodeState::joined,
                                 .parent = {},
                                 .hops = static_cast<std::uint8_t>(hops),
                                 .rssi_dbm = -83,
                                 .route = std::move(route),
                                 .alternative = {}};
    };
    reads.nodes = {{joined("540000000001", 1, {})}};
    const auto live = object(get("/api/concentrators/900000000001/mesh"));
    CHECK(text(live, "source") == "live");
    CHECK(number(live, "reached") == 1);
    CHECK(number(item(live, "signal", 0), "at_least_dbm") == -90);
    bool found = false;
    const auto sites = live->getObject("repeater")->getArray("sites");
    for (std::size_t i = 0; i < sites->size(); ++i) {
        const auto site = sites->getObject(static_cast<unsigned>(i));
        if (text(site, "near") == "540000000005") found = site->getArray("gains")->size() >= 2;
    }
    CHECK(found);
}

TEST_CASE_METHOD(SignedIn, "console balance: supply against the sum of the meters", "[console]") {
    const auto balance = object(get("/api/concentrators/900000000001/balance?day=2026-03-09"));
    CHECK(text(balance, "summary_meter") == "800000000001");
    REQUIRE(balance->getArray("intervals")->size() == 96);
    // meter ...12 has no rows, so no interval is complete and nothing may be concluded
    CHECK(item(balance, "intervals", 0)->isNull("loss_wh"));
    CHECK(number(item(balance, "intervals", 0), "meters_expected") == 12);
    CHECK(number(item(balance, "intervals", 0), "meters_read") == 11);

    run("delete from wattmesh.meter_installation where meter = (select id from wattmesh.meter where number = "
        "540000000012)");
    const auto whole = object(get("/api/concentrators/900000000001/balance?day=2026-03-09"));
    const auto first = item(whole, "intervals", 0);  // 1 + .. + 11 + 11 x 1
    CHECK(number(first, "consumed_wh") == 77);
    CHECK(number(first, "supplied_wh") == 79);
    CHECK(number(first, "loss_wh") == 2);
    CHECK(number(first, "suspected_wh") == 0);
    const auto totals = whole->getObject("totals");
    CHECK(number(totals, "complete") == 96);
    // eight quarters of 400 Wh; what the 5 % allowance leaves of the 3 % loss is taken off each
    CHECK(number(totals, "suspected_wh") > 8 * 300);
    CHECK(number(totals, "suspected_wh") <= 8 * 400);
    CHECK(number(totals, "loss_wh") == number(totals, "supplied_wh") - number(totals, "consumed_wh"));
}

TEST_CASE_METHOD(SignedIn, "console completeness: the board and the meters behind a number", "[console]") {
    const auto board = object(get("/api/completeness?from=2026-03-08&to=2026-03-10"));
    REQUIRE(board->getArray("items")->size() == 6);
    const auto before = item(board, "items", 0), full = item(board, "items", 1),
               today = item(board, "items", 2);
    CHECK(number(before, "expected") == 0);  // installed on the 9th
    CHECK(text(full, "day") == "2026-03-09");
    CHECK(number(full, "expected") == 96 * 13);
    CHECK(number(full, "received") == 96 * 12);
    CHECK(number(full, "meters_complete") == 12);
    CHECK(number(today, "expected") == 57 * 13);
    CHECK(number(today, "received") == 57 * 12 - 4);

    const auto day = object(get("/api/completeness/900000000001/2026-03-10"));
    REQUIRE(day->getArray("meters")->size() == 2);
    const auto worst = item(day, "meters", 0), partly = item(day, "meters", 1);
    CHECK(text(worst, "meter") == "540000000012");
    CHECK(text(worst, "reason") == "not_read");
    CHECK(text(partly, "meter") == "540000000003");
    CHECK(text(partly, "reason") == "no_answer");
    CHECK(text(partly, "first_missing") == "2026-03-10T10:15:00.000Z");
    CHECK(text(partly, "last_missing") == "2026-03-10T11:00:00.000Z");
    const auto away = object(get("/api/completeness/900000000002/2026-03-10"));
    CHECK(text(item(away, "meters", 0), "reason") == "no_route");

    const auto summary = object(get("/api/completeness/summary?from=2026-03-08&to=2026-03-10"));
    const auto area = item(summary, "areas", 0), model = item(summary, "models", 0);
    CHECK(text(area, "name") == "Area 1");
    CHECK(text(model, "name") == "WM-SIM-3");
    CHECK(number(model, "expected") == (96 + 57) * 16);
    CHECK(number(model, "received") == (96 + 57) * 12 - 4);
    CHECK(number(model->getObject("by_24h"), "received") == (96 + 57) * 12 - 4);
    // 12 was never read on either day; 3 of the offline concentrator neither, and 03 missed four
    REQUIRE(summary->getArray("worst")->size() == 5);
    CHECK(number(item(summary, "worst", 0), "intervals") == 96 + 57);
    CHECK(number(item(summary, "worst", 0), "days") == 2);
    CHECK(text(item(summary, "worst", 4), "meter") == "540000000003");
    CHECK(text(item(item(summary, "worst", 4), "missing", 0), "reason") == "no_answer");
    CHECK(summary->getArray("repeated")->size() == 0);
}

TEST_CASE_METHOD(SignedIn, "console meters: search and pages", "[console]") {
    const auto all = object(get("/api/meters?limit=10"));
    CHECK(number(all, "total") == 16);
    REQUIRE(all->getArray("items")->size() == 10);
    const auto rest = object(get("/api/meters?limit=10&cursor=" + text(all, "next")));
    CHECK(rest->getArray("items")->size() == 6);
    CHECK(rest->isNull("next"));
    const auto found = object(get("/api/meters?search=0000%20010"));
    CHECK(number(found, "total") == 4);  // ...010x and ...0010
    CHECK(text(item(all, "items", 8), "last_interval") == "2026-03-10T14:15:00.000Z");
    CHECK(number(item(all, "items", 8), "hops") == 3);
}

TEST_CASE_METHOD(SignedIn, "console meter: its page, curve and events", "[console]") {
    const auto meter = object(get("/api/meters/540000000009"));
    CHECK(text(meter, "system_title") == "574D547DBA821809");  // "WMT" and 540000000009 in 40 bits
    CHECK(text(meter, "parent") == "540000000005");
    CHECK(meter->getArray("route")->size() == 2);
    CHECK(meter->getArray("channels")->size() == 4);
    CHECK(text(item(meter, "channels", 2), "unit") == "varh");
    CHECK(number(meter->getObject("today"), "received") == 57);
    const auto read = object(get("/api/meters/540000000001"));
    CHECK(number(item(read, "latest", 0), "value") == 1234567);
    CHECK(text(item(read, "latest", 0), "source") == "on_demand");

    const auto curve = object(
        get("/api/meters/540000000003/curve?from=2026-03-10T10:00:00Z&to=2026-03-10T12:00:00Z&channel=1"));
    REQUIRE(curve->getArray("at")->size() == 8);
    CHECK(curve->getArray("at")->getElement<long long>(0) == 1773137700);  // 2026-03-10 10:15 UTC
    for (unsigned i = 0; i < 4; ++i) CHECK(curve->getArray("value")->isNull(i));
    CHECK(curve->getArray("value")->getElement<int>(4) == 3 + 45);  // 11:15
    const auto doubtful = object(
        get("/api/meters/540000000002/curve?from=2026-03-10T07:45:00Z&to=2026-03-10T08:00:00Z&channel=1"));
    CHECK(doubtful->getArray("quality")->getElement<int>(0) == 1);
    // what is not yet due is no hole
    const auto open = object(
        get("/api/meters/540000000003/curve?from=2026-03-10T14:00:00Z&to=2026-03-11T00:00:00Z&channel=1"));
    CHECK(open->getArray("at")->size() == 1);

    const auto events = object(get("/api/meters/540000000003/events"));
    REQUIRE(events->getArray("items")->size() == 2);
    CHECK(text(item(events, "items", 0), "text") == "Read failed: no answer");
    CHECK(text(item(events, "items", 1), "kind") == "joined");
}

TEST_CASE_METHOD(SignedIn, "console read: asks the meter, audits who and why, and explains a failure",
                 "[console]") {
    reads.answer.ok = true;
    reads.answer.value = dlms::Data{std::uint32_t{4321}};
    reads.answer.scaler = -1;
    reads.answer.unit = 35;
    reads.answer.took = std::chrono::milliseconds{1234};
    const auto relay = DeviceNumber::parse("540000000002").value();
    reads.nodes = {{{.number = DeviceNumber::parse("540000000009").value(),
                     .state = dcu::NodeState::joined,
                     .short_address = 9,
                     .parent = relay,
                     .hops = 2,
                     .rssi_dbm = -71,
                     .etx_percent = 130,
                     .last_heard = clock.now(),
                     .route = {relay},
                     .alternative = {}}}};
    const auto answer =
        object(post("/api/meters/540000000009/read", R"({"obis":"1-0:32.7.0","reason":"customer called"})"));
    CHECK(answer->getValue<double>("value") == Approx(432.1));
    CHECK(text(answer, "unit") == "V");
    CHECK(number(answer, "milliseconds") == 1234);
    // the road as the concentrator sees it, not the one of the events
    REQUIRE(answer->getArray("route")->size() == 1);
    CHECK(answer->getArray("route")->getElement<std::string>(0) == "540000000002");
    const auto page = object(get("/api/meters/540000000009"));
    CHECK(text(page, "parent") == "540000000002");
    CHECK(number(page, "hops") == 2);
    CHECK(number(page, "etx_percent") == 130);
    reads.nodes.reset();
    REQUIRE(reads.asked.size() == 1);
    CHECK(reads.asked[0].second ==
          dlms::AttributeId{.class_id = 3, .object = {{1, 0, 32, 7, 0, 255}}, .attribute = 2});
    CHECK(value("select count(*) from wattmesh.audit where actor = 'ada' and action = 'read' and subject = "
                "'540000000009' "
                "and reason like '%customer called%'") == 1);

    reads.answer = {};
    reads.answer.ok = true;
    reads.answer.value = dlms::Data{dlms::OctetString{{'W', 'M', 'T', '7'}}};
    const auto name = object(post("/api/meters/540000000009/read", R"({"obis":"0-0:42.0.0"})"));
    CHECK(name->isNull("value"));
    CHECK(text(name, "text") == "WMT7");
    CHECK(reads.asked.back().second.class_id == 1);

    for (const auto& [fault, status] : std::map<std::string, int>{{"unreachable", 504},
                                                                  {"no_answer", 504},
                                                                  {"offline", 503},
                                                                  {"busy", 503},
                                                                  {"refused", 502},
                                                                  {"not_authentic", 502},
                                                                  {"no_key", 409},
                                                                  {"no_certificate", 409},
                                                                  {"unavailable", 503},
                                                                  {"something_new", 502}}) {
        reads.answer = {};
        reads.answer.fault = fault;
        INFO(fault);
        CHECK(post("/api/meters/540000000009/read", R"({"obis":"1.8.0"})").status == status);
    }
}

TEST_CASE("console read: a viewer may look and not act", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(site.get("/api/overview").status == 200);
    const auto reply = site.post("/api/meters/540000000001/read", R"({"obis":"1.8.0"})");
    CHECK(reply.status == 403);
    CHECK(reply.has("operator"));
    CHECK(site.reads.asked.empty());
}

TEST_CASE_METHOD(SignedIn, "console quarantine: devices, entries and conflicts with their reasons",
                 "[console]") {
    const auto all = object(get("/api/quarantine"));
    REQUIRE(all->getArray("items")->size() == 3);
    CHECK(text(item(all, "items", 0), "kind") == "conflict");
    CHECK(text(item(all, "items", 1), "reason") == "an instant in 2099");
    const auto devices = object(get("/api/quarantine?kind=device"));
    REQUIRE(devices->getArray("items")->size() == 1);
    CHECK(text(item(devices, "items", 0), "meter") == "540000009999");
}

TEST_CASE_METHOD(SignedIn, "console power cuts: newest first, with their end if there was one", "[console]") {
    const auto cuts = object(get("/api/outages"));
    CHECK(number(cuts, "open") == 1);
    REQUIRE(cuts->getArray("items")->size() == 2);
    CHECK(item(cuts, "items", 0)->isNull("ended"));
    const auto over = item(cuts, "items", 1);
    CHECK(number(over, "reported") == 8);
    CHECK(number(over, "inferred") == 2);
    CHECK(text(over, "ended").substr(0, 16) == "2026-03-10T09:30");
    CHECK(number(over, "back") == 9);
    CHECK(number(object(get("/api/overview")), "outages") == 1);
}

TEST_CASE_METHOD(SignedIn, "console route: how a meter was reached at an instant", "[console]") {
    const auto at = [&](const char* instant) {
        return object(get(std::string{"/api/meters/540000000011/route?at=2026-03-"} + instant));
    };
    const auto first = at("09T12:00:00Z");
    CHECK(text(first, "state") == "joined");
    CHECK(first->isNull("route"));  // an event of an earlier version
    CHECK(number(first, "hops") == 3);
    const auto routed = at("10T08:30:00Z");
    REQUIRE(routed->getArray("route")->size() == 2);
    CHECK(routed->getArray("route")->getElement<std::string>(1) == "540000000006");
    CHECK(text(routed, "until").substr(0, 16) == "2026-03-10T09:00");
    const auto dark = at("10T09:10:00Z");
    CHECK(text(dark, "state") == "dark_inferred");
    CHECK(dark->getArray("route")->size() == 2);
    const auto back = at("10T12:00:00Z");
    CHECK(text(back, "state") == "joined");
    CHECK(back->isNull("until"));
    CHECK(get("/api/meters/540000000011/route?at=2026-03-08T00:00:00Z").status == 404);
    CHECK(get("/api/meters/540000000011/route?at=yesterday").status == 400);
}

TEST_CASE_METHOD(SignedIn, "console meters: one that calls in by itself has a line, and no concentrator",
                 "[console]") {
    run("insert into wattmesh.concentrator (tenant, area, number, name, state, link, owner_epoch, "
        "registered_us, "
        "last_seen_us, road) values (1, 1, 549000000001, '', 1, 1, 1, 0, 0, 1); "
        "insert into wattmesh.meter (tenant, area, number, model, role, concentrator, installed_us) "
        "select 1, 1, 549000000001, 'WM-SIM-3', 0, id, 0 from wattmesh.concentrator where road = 1");
    const auto meter = object(get("/api/meters/549000000001"));
    CHECK(text(meter, "road") == "direct");
    CHECK(text(meter, "state") == "online");
    CHECK(meter->isNull("concentrator"));
    CHECK(text(object(get("/api/meters/540000000009")), "road") == "mesh");
    CHECK(object(get("/api/concentrators"))->getArray("items")->size() == 2);
}
