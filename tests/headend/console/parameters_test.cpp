#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

TEST_CASE("console parameters: a template is kept, desired, compared and told as it is", "[console]") {
    SiteUnderTest site;
    const auto keep = [&](const std::string& name, const std::string& kind, const std::string& content) {
        return site.post("/api/parameters/templates", R"({"reason":"tariff order 12","name":")" + name +
                                                          R"(","kind":")" + kind + R"(","content":")" +
                                                          content + R"("})");
    };
    const std::string push =
        R"({\"destination\":\"10.0.0.1:4059\",\"retries\":3,\"delay_s\":90,\"spread_s\":300})";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(keep("pushes", "push", push).status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    const auto made = keep("pushes", "push", push);
    REQUIRE(made.status == 200);
    CHECK(made.has(R"("version":1)"));
    CHECK(made.has(R"("destination":"10.0.0.1:4059")"));
    CHECK(keep("pushes", "push", push).has(R"("version":1)"));  // the same content is no new version
    CHECK(keep("pushes", "push", R"({\"destination\":\"b:1\",\"retries\":3,\"delay_s\":90,\"spread_s\":300})")
              .has(R"("version":2)"));
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'parameter template' and reason = "
                     "'tariff order "
                     "12' and before like '%10.0.0.1%' and after like '%b:1%'") == 1);
    CHECK(keep("pushes", "limits", R"({\"watts\":3000,\"over_s\":60})").status == 409);
    const auto wrong = keep("x", "limits", R"({\"watts\":3000})");
    CHECK(wrong.status == 400);
    CHECK(wrong.has("over_s"));
    CHECK(keep("x", "meters", "{}").status == 400);

    const std::string apply =
        R"({"verb":"apply","template":"pushes","meters":["540000000001"],"reason":"new host"})";
    const auto ordered = site.post("/api/parameters/orders", apply);
    REQUIRE(ordered.status == 202);
    CHECK(ordered.has("Write pushes to 1 meter"));
    CHECK(site.get("/api/parameters").has(R"({"kind":"push","same":0,"differs":0,"unknown":1})"));
    CHECK(site.get("/api/parameters").has(R"("meters":1,"same":0,"differs":0)"));
    site.run(
        "update wattmesh.meter_parameter set state = 'differs', version = 2, members = "
        "'[{\"name\":\"number_of_retries\",\"desired\":\"3\",\"actual\":\"9\",\"same\":false}]'");
    const auto drift = site.get("/api/parameters/meters?kind=push&state=differs");
    CHECK(drift.has(R"("meter":"540000000001")"));
    CHECK(drift.has(R"("desired":"3","actual":"9","same":false)"));
    CHECK(site.get("/api/meters/540000000001/parameters")
              .has(R"("template":"pushes","version":2,"compared":2)"));
    CHECK(site.get("/api/meters/540000000002/parameters").has(R"("items":[])"));
    CHECK(site.post("/api/parameters/orders",
                    R"({"verb":"check","kind":"push","concentrator":"900000000001","reason":"x"})")
              .has("Compare push of 1 meter"));
    CHECK(site.post("/api/parameters/orders",
                    R"({"verb":"check","kind":"limits","concentrator":"900000000001","reason":"x"})")
              .status == 409);
    CHECK(site.post("/api/parameters/orders",
                    R"({"verb":"apply","template":"none","meters":["540000000001"],"reason":"x"})")
              .status == 404);
    CHECK(site.post("/api/parameters/orders", R"({"verb":"burn","reason":"x"})").status == 400);
    REQUIRE(site.sign_in("ned").status == 200);  // of area 2 only
    CHECK(site.get("/api/parameters").has(R"("kinds":[])"));
    CHECK(site.get("/api/meters/540000000001/parameters").has(R"("items":[])"));
}

TEST_CASE("console parameters: limits have one door, and it is the command gate's", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(
        site.post(
                "/api/parameters/templates",
                R"({"name":"3 kW","kind":"limits","content":"{\"watts\":3000,\"over_s\":60}","reason":"x"})")
            .status == 200);
    const auto order = [&](const std::string& path, const std::string& meters) {
        return site.post(path, R"({"verb":"apply","template":"3 kW","reason":"shortage",)" + meters + "}");
    };
    const std::string one = R"("meters":["540000000001"])", all = R"("concentrator":"900000000001")";
    const auto elsewhere = order("/api/parameters/orders", one);
    CHECK(elsewhere.status == 409);
    CHECK(elsewhere.has("/api/relay/limits"));
    CHECK(site.value("select count(*) from wattmesh.meter_parameter") == 0);
    CHECK(order("/api/relay/limits", one).has(R"("state":"queued")"));
    const auto planned =
        site.post("/api/relay/limits", R"({"template":"3 kW","dry_run":true,"concentrator":"900000000001"})");
    CHECK(planned.status == 200);
    CHECK(planned.has(R"("meters":12,"second_person":true)"));
    CHECK(site.value("select count(*) from wattmesh.job") == 1);
    const auto many = order("/api/relay/limits", all);
    CHECK(many.has(R"("state":"proposed")"));
    CHECK(many.has(R"("kind":"limits")"));
    const auto place = many.header("location");
    CHECK(site.value("select count(*) from wattmesh.meter_parameter") == 1);  // of the first order
    CHECK(site.post(place + "/approve", "{}").status == 403);                 // the own order
    REQUIRE(site.sign_in("ada").status == 200);
    // Somebody changes the template in between: that is not what was ordered.
    site.run("update wattmesh.parameter_template set content = replace(content, '3000', '3001')");
    CHECK(site.post(place + "/approve", "{}").status == 409);
    site.run("update wattmesh.parameter_template set content = replace(content, '3001', '3000')");
    CHECK(site.post(place + "/approve", "{}").has(R"("approved_by":"ada")"));
    CHECK(site.value("select count(*) from wattmesh.meter_parameter") ==
          site.value("select total from wattmesh.job where approved_by = 'ada'"));
    CHECK(
        site.value("select count(*) from wattmesh.audit where action = 'job approve' and before like '%3 kW "
                   "version 1: 1%' and before like '%none: %' and after like '%\"version\":1%'") == 1);
    CHECK(site.post(place + "/undo", R"({"reason":"x"})").status == 409);
    site.run("update wattmesh.meter set protected_why = 'dialysis' where number = 540000000002");
    const auto refused = order("/api/relay/limits", R"("meters":["540000000002"])");
    CHECK(refused.status == 409);
    CHECK(refused.has("dialysis"));
    CHECK(site.post("/api/relay/stop", R"({"reason":"wrong list"})").has(R"("cancelled":2)"));
    CHECK(order("/api/relay/limits", one).status == 409);
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(order("/api/relay/limits", one).status == 403);
}
