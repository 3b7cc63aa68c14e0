#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

TEST_CASE("console jobs: ordered for meters that there are, seen and steered by who ordered them",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto made = site.post(
        "/api/jobs/reads", R"({"concentrator":"900000000001","obis":"1-0:1.8.0","reason":"monthly check"})");
    REQUIRE(made.status == 202);
    CHECK(made.has(R"("total":13)"));
    CHECK(made.has(R"("state":"queued")"));
    const auto place = made.header("location");
    REQUIRE(place.starts_with("/api/jobs/"));
    CHECK(site.get(place).has("of 13 meters"));
    CHECK(site.get(place + "/items?limit=2").has(R"("subject":"540000000002")"));
    CHECK(site.get(place + "/items?limit=2").has(R"("next":3)"));
    CHECK(site.get(place + "/items?limit=2&from=13").has(R"("next":null)"));
    CHECK(site.get(place + "/items?state=x").status == 400);
    CHECK(site.get(place + "/file").status == 404);
    CHECK(site.get("/api/jobs").has("monthly check"));
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'job read' and actor = 'ada' and "
                     "reason = 'monthly check'") == 1);
    CHECK(site.post(place + "/pause", "{}").has(R"("state":"paused")"));
    const auto twice = site.post(place + "/pause", "{}");
    CHECK(twice.status == 409);
    CHECK(twice.has("is paused"));
    CHECK(site.post(place + "/resume", "{}").status == 200);
    CHECK(site.post(place + "/explode", "{}").status == 404);

    REQUIRE(site.sign_in("tim").status == 200);  // sees everything, has the role operator in area 2
    CHECK(site.get(place).status == 200);
    CHECK(site.post(place + "/cancel", "{}").status == 403);
    REQUIRE(site.sign_in("ned").status == 200);  // of area 2 only
    CHECK(site.get(place).status == 404);
    CHECK(site.get("/api/jobs").has(R"("items":[])"));
    CHECK(site.post("/api/jobs/reads", R"({"concentrator":"900000000001","obis":"1-0:1.8.0","reason":"x"})")
              .status == 404);
    CHECK(site.post("/api/jobs/reads", R"({"meters":["540000000001"],"obis":"1-0:1.8.0","reason":"x"})")
              .status == 404);
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.post(place + "/cancel", "{}").has(R"("state":"cancelled")"));
    CHECK(site.value("select count(*) from wattmesh.job_item where state = 'cancelled'") == 13);
}

TEST_CASE("console jobs: a wrong order is refused and orders nothing", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(site.post("/api/jobs/reads", R"({"meters":["540000000001"],"obis":"1-0:1.8.0","reason":"x"})")
              .status == 403);
    CHECK(site.post("/api/jobs/reports", R"({"report":"energy","from":"2026-03-01","to":"2026-03-10"})")
              .status == 202);
    REQUIRE(site.sign_in("ada").status == 200);
    struct Row {
        const char* path;
        std::string body;
        int status;
        const char* says;
    };
    const Row rows[] = {
        {"/api/jobs/reads", R"({"meters":["540000000001"],"obis":"x","reason":"x"})", 400, "'obis'"},
        {"/api/jobs/reads", R"({"meters":["540000000001"],"obis":"1-0:1.8.0"})", 400, "'reason'"},
        {"/api/jobs/reads", R"({"meters":[],"obis":"1-0:1.8.0","reason":"x"})", 400, "1 to 10 000"},
        {"/api/jobs/reads", R"({"meters":["54"],"obis":"1-0:1.8.0","reason":"x"})", 400, "'54'"},
        {"/api/jobs/reads", R"({"meters":["540000000001","540000000999"],"obis":"1-0:1.8.0","reason":"x"})",
         404, "540000000999"},
        {"/api/jobs/reads", R"({"concentrator":"900000000009","obis":"1-0:1.8.0","reason":"x"})", 404,
         "900000000009"},
        {"/api/jobs/reads", std::string(300'000, ' '), 413, "262 144"},
        {"/api/jobs/reports", R"({"report":"all","from":"2026-03-01","to":"2026-03-10"})", 400, "'report'"},
        {"/api/jobs/reports", R"({"report":"energy","format":"doc","from":"2026-03-01","to":"2026-03-10"})",
         400, "'format'"},
        {"/api/jobs/reports", R"({"report":"energy","from":"2026-03-11","to":"2026-03-10"})", 400, "'from'"},
        {"/api/jobs/reports", R"({"report":"energy","from":"2024-03-11","to":"2026-03-10"})", 400, "400"},
    };
    for (const auto& row : rows) {
        INFO(row.body.substr(0, 100));
        const auto reply = site.post(row.path, row.body);
        CHECK(reply.status == row.status);
        CHECK(reply.has(row.says));
    }
    CHECK(site.value("select count(*) from wattmesh.job") == 1);
    CHECK(site.get("/api/jobs/x").status == 404);
    CHECK(site.get("/api/jobs/999").status == 404);
}

TEST_CASE("console relay: a few meters at once, many only with a second person, protected ones never",
          "[console]") {
    SiteUnderTest site;
    const auto order = [&](const std::string& what, const std::string& more = "") {
        return site.post("/api/relay/orders",
                         R"({"verb":"disconnect","reason":"unpaid",)" + what + more + "}");
    };
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(order(R"("meters":["540000000001"])").status == 403);
    REQUIRE(site.sign_in("ada").status == 200);
    const auto one = order(R"("meters":["540000000001"])");
    REQUIRE(one.status == 202);
    CHECK(one.has(R"("state":"queued")"));
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'job relay' and actor = 'ada' and "
                     "reason = 'unpaid'") == 1);

    const auto planned = order(R"("concentrator":"900000000001")", R"(,"dry_run":true)");
    CHECK(planned.has(R"("feeders":[{"feeder":"F1","meters":12}])"));
    CHECK(planned.status == 200);
    CHECK(planned.has(R"("meters":12,"second_person":true,"protected":[])"));
    CHECK(planned.has(R"("concentrators":[{"concentrator":"900000000001","meters":12}])"));
    CHECK(site.value("select count(*) from wattmesh.job") == 1);
    const auto many = order(R"("concentrator":"900000000001")");
    REQUIRE(many.status == 202);
    CHECK(many.has(R"("state":"proposed")"));
    const auto place = many.header("location");
    const auto own = site.post(place + "/approve", "{}");
    CHECK(own.status == 403);
    CHECK(own.has("second person"));
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(site.post(place + "/approve", "{}").status == 403);
    REQUIRE(site.sign_in("tim").status == 200);  // sees everything, may switch in area 2
    const auto elsewhere = site.post(place + "/approve", "{}");
    CHECK(elsewhere.status == 403);
    CHECK(elsewhere.has("outside the areas"));
    REQUIRE(site.sign_in("amy").status == 200);
    site.run("update wattmesh.job set requested_by = 'amy (token bulk)' where state = 'proposed'");
    CHECK(site.post(place + "/approve", "{}").has("you ordered this yourself"));
    site.run("update wattmesh.job set requested_by = 'ada' where state = 'proposed'");
    CHECK(site.post(place + "/approve", "{}").has(R"("approved_by":"amy")"));
    CHECK(site.post(place + "/approve", "{}").status == 409);

    CHECK(site.post("/api/meters/540000000002/protection", R"({"why":"dialysis","reason":"doctor's letter"})")
              .status == 200);
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'protect' and after = 'dialysis' "
                     "and before is null") == 1);
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/meters/540000000002/protection", R"({"reason":"x"})").status == 403);
    const auto refused = order(R"("concentrator":"900000000001")");
    CHECK(refused.status == 409);
    CHECK(refused.has("540000000002 (dialysis)"));
    CHECK(order(R"("concentrator":"900000000001")", R"(,"dry_run":true)").has(R"("why":"dialysis")"));
    CHECK(site.post("/api/relay/orders", R"({"verb":"reconnect","reason":"paid","meters":["540000000002"]})")
              .status == 202);
}

TEST_CASE("console relay: one press stops everything, and nothing is ordered until it is released",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto order = [&] {
        return site.post(
            "/api/relay/orders",
            R"({"verb":"disconnect","reason":"unpaid","meters":["540000000001","540000000004"]})");
    };
    const auto made = order();
    REQUIRE(made.status == 202);
    const auto place = made.header("location");
    CHECK(site.post(place + "/undo", R"({"reason":"mistake"})").status == 409);  // not over
    CHECK(site.post("/api/relay/stop", R"({"reason":"wrong list"})").has(R"("cancelled":1)"));
    CHECK(site.get("/api/relay").has(R"("stopped":true)"));
    CHECK(site.get(place).has(R"("state":"cancelled")"));
    const auto refused = order();
    CHECK(refused.status == 409);
    CHECK(refused.has("ada stopped all switching (wrong list)"));
    REQUIRE(site.sign_in("tim").status == 200);  // may switch in area 2 only
    CHECK(site.post("/api/relay/release", R"({"reason":"mine"})").status == 403);
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/relay/release", R"({"reason":"list corrected"})").status == 200);
    CHECK(site.post("/api/relay/release", R"({"reason":"again"})").status == 409);
    CHECK(site.get("/api/relay").has(R"("stopped":false)"));
    CHECK(site.post(place + "/undo", R"({"reason":"mistake"})").has("changed no meter"));
    site.run(
        "update wattmesh.job_item set state = 'done', detail = 'disconnected', sent = true where place = 1");
    REQUIRE(site.sign_in("tim").status == 200);
    CHECK(site.post(place + "/undo", R"({"reason":"mine"})").status == 403);
    REQUIRE(site.sign_in("ada").status == 200);
    const auto undone = site.post(place + "/undo", R"({"reason":"mistake"})");
    REQUIRE(undone.status == 202);
    CHECK(undone.has("Reconnect meter 540000000001"));
    CHECK(undone.has("undo of job 1: mistake"));
    CHECK(site.value("select count(*) from wattmesh.audit where action in ('relay stop', 'relay release')") ==
          2);
}

TEST_CASE("console relay: a wrong order is refused and orders nothing", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(
        site.post("/api/relay/orders", R"({"verb":"limit","reason":"x","meters":["540000000001"]})").status ==
        400);
    CHECK(site.post("/api/relay/orders", R"({"verb":"disconnect","meters":["540000000001"]})").status == 400);
    CHECK(site.post("/api/relay/orders", R"({"verb":"disconnect","reason":"x","meters":["540000000999"]})")
              .status == 404);
    CHECK(site.post("/api/relay/orders", R"({"verb":"disconnect","reason":"x"})").status == 400);
    const auto summary =
        site.post("/api/relay/orders", R"({"verb":"disconnect","reason":"x","meters":["800000000001"]})");
    CHECK(summary.status == 409);
    CHECK(summary.has("summary meter of a transformer"));
    CHECK(site.post("/api/relay/stop", "{}").status == 400);
    REQUIRE(site.sign_in("ned").status == 200);  // operator of area 2, where there is nothing
    CHECK(site.post("/api/relay/orders", R"({"verb":"disconnect","reason":"x","meters":["540000000001"]})")
              .status == 404);
    CHECK(site.value("select count(*) from wattmesh.job") == 0);
}
