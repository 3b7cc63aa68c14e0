#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

TEST_CASE("console clocks: how far they are off, by how many and which", "[console]") {
    SiteUnderTest site;
    site.run(
        "insert into wattmesh.meter_clock (meter, next_us, measured_us, offset_ms, uncertainty_ms, since_us, "
        "since_offset_ms, tenant, area) select id, 0, at_us('2026-03-10 12:00Z'), case number when "
        "540000000002 "
        "then -200000 when 540000000003 then 1000000 else 1500 end, 700, at_us('2026-03-09 12:00Z'), 0, 1, 1 "
        "from wattmesh.meter where number between 540000000001 and 540000000003");
    REQUIRE(site.sign_in("vic").status == 200);
    const auto board = site.get("/api/clocks");
    REQUIRE(board.status == 200);
    CHECK(board.has(R"("meters":16,"measured":3)"));
    CHECK(board.has(R"({"from_s":-300,"to_s":-60,"meters":1})"));
    CHECK(board.has(R"({"from_s":-10,"to_s":10,"meters":1})"));
    CHECK(board.has(R"({"from_s":900,"to_s":null,"meters":1})"));
    CHECK(board.has(R"({"class":"household","check_every_s":86400,"correct_from_s":60)"));
    CHECK(board.has(R"("offenders":[{"meter":"540000000003")"));  // too far off to be set
    const auto slow = site.get("/api/clocks/meters?to_s=-60");
    CHECK(slow.has(R"("meter":"540000000002")"));
    CHECK(slow.has(R"("drift_ppm":-2314.8)"));
    CHECK_FALSE(slow.has("540000000003"));
    CHECK(site.get("/api/clocks/meters").has("540000000001"));
    CHECK(site.get("/api/clocks/meters?from_s=x").status == 400);
    REQUIRE(site.sign_in("ned").status == 200);  // of area 2 only
    CHECK(site.get("/api/clocks").has(R"("meters":0,"measured":0)"));
    CHECK(site.get("/api/clocks/meters").has(R"("items":[])"));
}

TEST_CASE("console clocks: an engineer orders corrections and changes rules; others do not", "[console]") {
    SiteUnderTest site;
    const std::string order = R"({"meters":["540000000001","540000000002"],"reason":"drift"})";
    const std::string rule = R"({"correct_from_s":30,"automatic":false,"reason":"radio clocks"})";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/clocks/orders", order).status == 403);
    CHECK(site.post("/api/clocks/rules/household", rule).status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    const auto made = site.post("/api/clocks/orders", order);
    REQUIRE(made.status == 202);
    CHECK(made.has("Set clocks of 2 meters"));
    CHECK(site.value("select count(*) from wattmesh.job where kind = 'clock' and requested_by = 'amy'") == 1);
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'job clock' and reason = 'drift'") ==
          1);
    CHECK(site.post("/api/clocks/orders", R"({"meters":["540000000999"],"reason":"x"})").status == 404);
    CHECK(site.post("/api/clocks/orders", R"({"meters":["540000000001"]})").status == 400);

    const auto changed = site.post("/api/clocks/rules/household", rule);
    REQUIRE(changed.status == 200);
    CHECK(changed.has(R"("correct_from_s":30,"correct_to_s":900)"));
    CHECK(site.value(
              "select count(*) from wattmesh.clock_rule where correct_from_s = 30 and not automatic") == 1);
    CHECK(site.value(
              "select count(*) from wattmesh.audit where action = 'clock rule' and subject = 'household' "
              "and before like '%\"correct_from_s\":60%' and after like '%\"correct_from_s\":30%'") == 1);
    CHECK(site.post("/api/clocks/rules/factory", rule).status == 404);
    CHECK(site.post("/api/clocks/rules/household", R"({"correct_to_s":20,"reason":"x"})").status == 400);
    CHECK(site.post("/api/clocks/rules/household", R"({"correct_to_s":2000,"reason":"x"})").status == 400);
}
