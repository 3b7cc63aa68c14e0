#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

namespace {

/// A customer's account and its meter in the books.
void books(SiteUnderTest& site) {
    site.run(
        "insert into wattmesh.tariff (tenant, code) values (1, 'home'); insert into "
        "wattmesh.customer_account "
        "(tenant, area, number, name, address, tariff, month, charged_until) select 1, 1, 'S-1', 'Maya', "
        "'Road 1', id, 0, 0 from wattmesh.tariff; insert into wattmesh.prepaid_meter (tenant, pan, "
        "meter_number, account, meter, supply_group, key_revision, tariff_index, key_type, algorithm, "
        "base_year) select 1, '600727090000000019', '09000000019', a.id, m.id, 1, 1, 1, 2, 11, 2014 from "
        "wattmesh.customer_account a, wattmesh.meter m where m.number = 540000000001");
}

}  // namespace

TEST_CASE("console prepayment: an engineer enrols, holds, corrects and takes out; each is audited",
          "[console]") {
    SiteUnderTest site;
    books(site);
    const std::string meter = "/api/prepayment/meters/540000000001", why = R"({"reason":"asked"})";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post(meter + "/enrol", why).status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.get(meter).status == 404);
    CHECK(site.post("/api/prepayment/meters/540000000999/enrol", why).status == 404);
    CHECK(site.post("/api/prepayment/meters/540000000002/enrol", why).status == 409);  // not in the books
    CHECK(site.post(meter + "/enrol", "{}").status == 400);
    REQUIRE(site.post(meter + "/enrol", why).status == 204);
    CHECK(site.post(meter + "/enrol", why).status == 409);
    const auto board = site.get("/api/prepayment");
    REQUIRE(board.status == 200);
    CHECK(board.has(
        R"("account":"S-1","customer":"Maya","meter_number":"09000000019","meter":"540000000001","enrolled":true,"balance":0)"));
    CHECK(board.has(R"({"weekday":1,"from":"09:00","to":"14:00"})"));
    CHECK(site.get(meter).has(R"("by":"amy","why":"asked")"));

    CHECK(site.post(meter + "/flags", R"({"held":"pays by cheque","reason":"called"})").status == 204);
    CHECK(site.get(meter).has(R"("held":"pays by cheque","disputed":null)"));
    CHECK(site.post(meter + "/flags", R"({"reason":"paid"})").status == 204);
    CHECK(site.get(meter).has(R"("held":null)"));
    CHECK(site.post("/api/prepayment/meters/540000000002/flags", why).status == 409);

    CHECK(site.post(meter + "/corrections", R"({"at":"2026-03-10T12:15:00Z","wh":5,"reason":"x"})").status ==
          201);
    CHECK(site.post(meter + "/corrections",
                    R"({"at":"2026-03-10T12:15:00Z","wh":6,"estimated":true,"reason":"x"})")
              .has(R"("version":2)"));
    CHECK(site.post(meter + "/corrections", R"({"at":"2026-03-10T12:16:00Z","wh":5,"reason":"x"})").status ==
          404);
    CHECK(site.post(meter + "/corrections", R"({"at":"soon","wh":5,"reason":"x"})").status == 400);

    CHECK(site.post(meter + "/leave", why).status == 204);
    CHECK(site.post(meter + "/leave", why).status == 409);
    CHECK(site.value(
              "select count(*) from wattmesh.audit where actor = 'amy' and action in ('prepayment enrol', "
              "'prepayment leave', 'prepayment flags', 'interval version')") == 6);
    REQUIRE(site.sign_in("ned").status == 200);  // of area 2 only
    CHECK(site.get("/api/prepayment").has(R"("accounts":[])"));
    CHECK(site.get(meter).status == 404);
}

TEST_CASE("console prepayment: rules are checked, and changed in the whole utility only", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/prepayment/rules", R"({"reason":"x"})").status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    const auto changed =
        site.post("/api/prepayment/rules", R"({"first_notice_below":3000,"cut_after_s":172800,
        "hours":[{"weekday":2,"from":"10:00","to":"24:00"}],"holidays":[{"day":"2026-12-25","name":"Christmas"}],"reason":"winter"})");
    REQUIRE(changed.status == 200);
    CHECK(changed.has(R"("first_notice_below":3000,"second_notice_below":500)"));
    CHECK(changed.has(
        R"("hours":[{"weekday":2,"from":"10:00","to":"24:00"}],"holidays":[{"day":"2026-12-25","name":"Christmas"}])"));
    CHECK(site.get("/api/prepayment").has(R"("cut_after_s":172800)"));
    for (const std::string bad : {R"({"late_s":90000,"reason":"x"})", R"({"cut_below":600,"reason":"x"})",
                                  R"({"reconnect_from":0,"reason":"x"})",
                                  R"({"hours":[{"weekday":8,"from":"10:00","to":"11:00"}],"reason":"x"})",
                                  R"({"hours":[{"weekday":1,"from":"11:00","to":"10:00"}],"reason":"x"})",
                                  R"({"hours":[{"weekday":1,"from":"11:00","to":"25:00"}],"reason":"x"})",
                                  R"({"holidays":[{"day":"Christmas","name":"x"}],"reason":"x"})"}) {
        CAPTURE(bad);
        CHECK(site.post("/api/prepayment/rules", bad).status == 400);
    }
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'prepayment rules'") == 1);
}

TEST_CASE("console prepayment: hours of an area are changed by who configures it, and audited", "[console]") {
    SiteUnderTest site;
    const auto area = [&](const std::string& name, const std::string& rest) {
        return site.post("/api/prepayment/areas",
                         R"({"area":")" + name + R"(","reason":"rains",)" + rest + "}");
    };
    const std::string mornings = R"("hours":[{"weekday":2,"from":"08:00","to":"10:00"}])";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(area("Area 1", mornings).status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.get("/api/prepayment").has(R"({"area":"Area 1","hours":[],"holidays":[]})"));
    CHECK(area("Area 99", mornings).status == 404);
    CHECK(area("Area 1", R"("hours":[{"weekday":2,"from":"08:00","to":"07:00"}])").status == 400);
    CHECK(area("Area 1", mornings).has(R"({"area":"Area 1",)" + mornings + R"(,"holidays":[]})"));
    CHECK(area("Area 1", R"("holidays":[{"day":"2026-12-24","name":"Eve"}])")
              .has(mornings + R"(,"holidays":[{"day":"2026-12-24","name":"Eve"}]})"));
    CHECK(site.get("/api/prepayment")
              .has(R"({"weekday":1,"from":"09:00","to":"14:00"})"));  // the utility's stay
    CHECK(site.value("select count(*) from wattmesh.prepayment_hours where area = 1") == 1);
    CHECK(area("Area 1", R"("hours":[])").status == 200);
    CHECK(site.value("select count(*) from wattmesh.prepayment_hours where area is not null") == 0);
    CHECK(site.value(
              "select count(*) from wattmesh.audit where actor = 'amy' and action = 'prepayment hours' and "
              "subject = 'area Area 1' and reason = 'rains'") == 3);
    REQUIRE(site.sign_in("ned").status == 200);  // of area 2 only
    CHECK_FALSE(site.get("/api/prepayment").has(R"("area":"Area 1")"));
    CHECK(area("Area 1", mornings).status != 200);
}
