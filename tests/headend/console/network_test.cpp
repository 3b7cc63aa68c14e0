#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using Poco::JSON::Object;
using wattmesh::test::SiteUnderTest;

namespace {

Object::Ptr object(const test::Reply& reply) {
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    return Poco::JSON::Parser{}.parse(reply.body).extract<Object::Ptr>();
}
std::string text(const Object::Ptr& of, const std::string& name) { return of->getValue<std::string>(name); }
int number(const Object::Ptr& of, const std::string& name) { return of->getValue<int>(name); }
std::string quoted(const std::string& content) {
    std::string out;
    for (const char c : content) out += c == '\n' ? std::string{"\\n"} : std::string{c};
    return '"' + out + '"';
}
std::string list(const std::string& lines, const std::string& more) {
    return R"({"file":"town.csv","content":)" +
           quoted("kind,number,name,parent,since,replaces,final_wh,start_wh\n" + lines) + more + "}";
}

}  // namespace

TEST_CASE("console network: from the substation down to the meter and its customer", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto top = object(site.get("/api/network"))->getArray("items");
    REQUIRE(top->size() == 1);
    CHECK(text(top->getObject(0), "number") == "S1");
    CHECK(number(top->getObject(0), "usage_points") == 12);
    CHECK(number(top->getObject(0), "meters") == 12);
    const auto feeder = object(site.get("/api/network/feeder/F1"));
    REQUIRE(feeder->getArray("items")->size() == 2);
    CHECK(text(feeder->getArray("items")->getObject(0), "concentrator") == "900000000001");
    const auto point = object(site.get("/api/network/usage_point/U7"));
    CHECK(point->getArray("path")->size() == 4);
    CHECK(text(point->getArray("meters")->getObject(0), "meter") == "540000000007");
    CHECK(text(point->getArray("customers")->getObject(0)->getObject("customer"), "name") == "Ada Lovelace");
    const auto meter = object(site.get("/api/meters/540000000007"))->getObject("site");
    CHECK(text(meter->getArray("path")->getObject(2), "number") == "TX-1");
    CHECK(text(meter->getObject("customer"), "number") == "C7");
    CHECK(object(site.get("/api/meters/540000000101"))->isNull("site"));
    CHECK(site.get("/api/network/usage_point/U99").status == 404);
    CHECK(site.get("/api/network/pole/U7").has("substation, feeder"));
}

TEST_CASE("console network: a list is rehearsed, taken with a reason, and says what it refused",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto lines = "usage_point,U101,,TX-2,,,,\nusage_point,,,TX-2,,,,\n";
    CHECK(site.post("/api/assets", list(lines, R"(,"reason":"new street")")).status == 403);  // an operator
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.post("/api/assets", list(lines, "")).status == 400);
    const auto rehearsed = object(site.post("/api/assets", list(lines, R"(,"dry_run":true)")));
    CHECK(number(rehearsed, "accepted") == 1);
    CHECK(number(rehearsed, "refused") == 1);
    CHECK(text(rehearsed->getArray("lines")->getObject(1), "why") == "field \"number\" is blank");
    CHECK(site.get("/api/network/usage_point/U101").status == 404);
    CHECK(number(object(site.post("/api/assets", list(lines, R"(,"reason":"new street")"))), "accepted") ==
          1);
    CHECK(site.get("/api/network/usage_point/U101").status == 200);
    CHECK(site.get("/api/audit?action=assets%20import").has("new street"));
    CHECK(site.post("/api/assets", R"({"file":"x","content":"colour\n","dry_run":true})").has("colour"));
    CHECK(site.post("/api/assets", list(lines, R"(,"dry_run":true,"since":"tomorrow")")).status == 400);
}

TEST_CASE("console network: an exchange in mid-interval keeps both meters' readings at the place",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("amy").status == 200);
    // 10:07 UTC is 15:37 in Asia/Kolkata. The new meter was read before too: that was not here.
    site.run(
        "delete from wattmesh.meter_installation where meter = (select id from wattmesh.meter where number = "
        "540000000008)");
    const auto exchanged =
        object(site.post("/api/assets", list("meter,540000000008,,U7,2026-03-10T15:37,540000000007,5000,12\n",
                                             R"(,"reason":"broken glass")")));
    REQUIRE(number(exchanged, "accepted") == 1);
    const auto parts =
        object(
            site.get("/api/network/usage_point/U7/curve?from=2026-03-10T00:00:00Z&to=2026-03-10T14:15:00Z"))
            ->getArray("meters");
    REQUIRE(parts->size() == 2);
    CHECK(text(parts->getObject(0), "meter") == "540000000007");
    CHECK(parts->getObject(0)->getArray("at")->size() == 40);  // ends 00:15 to 10:00
    CHECK(parts->getObject(1)->getArray("at")->size() == 17);  // ends 10:15 to 14:15
    CHECK(parts->getObject(1)->getArray("value")->getElement<int>(0) == 8 + 41);
    const auto meters = object(site.get("/api/network/usage_point/U7"))->getArray("meters");
    CHECK(number(meters->getObject(0), "start_wh") == 12);
    CHECK(number(meters->getObject(1), "final_wh") == 5000);
    // The interval of the exchange has no whole energy: it expects both and is never complete.
    const auto balance =
        object(site.get("/api/transformers/TX-1/balance?day=2026-03-10"))->getArray("intervals");
    CHECK(number(balance->getObject(39), "meters_expected") == 11);
    CHECK(number(balance->getObject(40), "meters_expected") == 12);
    CHECK(balance->getObject(40)->isNull("loss_wh"));
    CHECK(number(balance->getObject(41), "meters_expected") == 11);
}

TEST_CASE("console network: a meter read by another transformer's concentrator counts where it is connected",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const std::string place = "/api/transformers/TX-1/balance?day=2026-03-09";
    const auto before = object(site.get(place))->getArray("intervals")->getObject(0);
    site.run("update wattmesh.meter set concentrator = 2 where number = 540000000004");
    const auto after = object(site.get(place))->getArray("intervals")->getObject(0);
    CHECK(number(before, "consumed_wh") == number(after, "consumed_wh"));
    CHECK(number(after, "meters_read") == 11);
}

TEST_CASE("console network: losses of a local day, and none where a meter is missing", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    site.run(
        "delete from wattmesh.meter_installation where meter = (select id from wattmesh.meter where number = "
        "540000000012)");
    site.run("update wattmesh.tenant set time_zone = 'UTC' where id = 1");
    for (const std::string concentrator : {"1", "2"})
        site.run("select wattmesh.recompute_day(1::smallint, 20521, " + concentrator +
                 "), wattmesh.recompute_day(1::smallint, 20522, " + concentrator + ")");
    const auto line = object(site.get("/api/losses?day=2026-03-09"))->getArray("items")->getObject(0);
    CHECK(number(line, "meters") == 11);
    CHECK(number(line, "meters_complete") == 11);
    // Sum over the day's intervals of (1 + .. + 11) + 11 x the number of the quarter, and 3200 Wh of theft
    // beside 3 %.
    const int consumed = 96 * 66 + 11 * (95 * 96 / 2);
    CHECK(number(line, "consumed_wh") == consumed);
    CHECK(number(line, "loss_wh") > 3200 + consumed * 25 / 1000);
    CHECK(number(line, "loss_wh") < 3200 + consumed * 3 / 100 + 1);
    site.run(
        "delete from wattmesh.aggregate_day where meter = (select id from wattmesh.meter where number = "
        "540000000005)");
    CHECK(object(site.get("/api/losses?day=2026-03-09"))->getArray("items")->getObject(0)->isNull("loss_wh"));
}
