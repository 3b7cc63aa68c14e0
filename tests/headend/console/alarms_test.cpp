#include <catch2/catch.hpp>

#include "headend/monitor/alarm_watch.h"
#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

namespace {

/// The town with what its events raise, and one alarm of the whole head-end.
struct AlarmedSite : SiteUnderTest {
    AlarmedSite() {
        run("insert into wattmesh.dirty_day values (1, 20000, 1, 1, 0)");
        look();
    }
    void look() {
        headend::database::Connection monitor{database.settings("wm_monitor")};
        headend::monitor::look_after_alarms(monitor, {}, clock.at);
    }
    std::string id(const std::string& rule) {
        return std::to_string(value("select id from wattmesh.alarm where rule = '" + rule + "'"));
    }
    long long audited(const std::string& action) {
        return value("select count(*) from wattmesh.audit where action = '" + action + "'");
    }
};

}  // namespace

TEST_CASE("console alarms: listed by what wants somebody, with words and guidance", "[console]") {
    AlarmedSite site;
    REQUIRE(site.sign_in("vic").status == 200);
    const auto reply = site.get("/api/alarms");
    REQUIRE(reply.status == 200);
    CHECK(reply.has(R"("title":"Power cut")"));
    CHECK(reply.has("10 of 11 meters dark, 8 said so"));
    CHECK(reply.has("Compare with planned work"));
    CHECK(reply.body.find(R"("priority":"high")") < reply.body.find(R"("priority":"medium")"));
    CHECK(site.get("/api/alarms?priority=high").has(R"("unacked":{"high":1,)"));
    CHECK_FALSE(site.get("/api/alarms?priority=high").has("Aggregates behind"));
    CHECK(site.get("/api/alarms?object=aggreg").has("Aggregates behind"));
    CHECK(site.get("/api/alarms?state=normal").status == 400);
    CHECK(site.get("/api/overview").has(R"("alarms":{"high":1,)"));
    CHECK(site.get("/api/alarms/conduct").has(R"("stale":0)"));
    CHECK(site.get("/api/alarms/" + site.id("power_cut")).has(R"("what":"raised")"));
    CHECK(site.get("/api/alarms/999999").status == 404);
}

TEST_CASE("console alarms: acknowledged one or many, by who may, and audited", "[console]") {
    AlarmedSite site;
    REQUIRE(site.sign_in("vic").status == 200);
    const auto ids = R"({"ids":[")" + site.id("power_cut") + R"(",")" + site.id("aggregates_behind") + "\"]}";
    CHECK(site.post("/api/alarms/acts/ack", ids).status == 403);
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/alarms/acts/ack", ids).has(R"({"done":2,"left_alone":0})"));
    CHECK(site.post("/api/alarms/acts/ack", ids).has(R"({"done":0,"left_alone":2})"));
    CHECK(site.get("/api/alarms/" + site.id("power_cut")).has(R"("acked_by":"ada")"));
    CHECK(site.audited("alarm ack") == 2);
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'alarm ack' and before = 'unacked' "
                     "and after = 'acked' and actor = 'ada' and subject = 'alarm power_cut of concentrator "
                     "900000000001'") == 1);
    CHECK(site.post("/api/alarms/acts/explode", ids).status == 400);
    CHECK(site.post("/api/alarms/acts/ack", R"({"ids":[]})").status == 400);
    CHECK(site.post("/api/alarms/acts/ack", R"({"ids":["x"]})").status == 400);
}

TEST_CASE("console alarms: shelved with a reason and for a time, back by itself", "[console]") {
    AlarmedSite site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto id = site.id("power_cut");
    CHECK(site.post("/api/alarms/acts/shelve", R"({"ids":[")" + id + "\"]}").status == 400);
    CHECK(site.post("/api/alarms/acts/shelve", R"({"ids":[")" + id + R"("],"text":"planned","minutes":481})")
              .status == 400);
    CHECK(site.post("/api/alarms/acts/shelve", R"({"ids":[")" + id + R"("],"text":"planned","minutes":60})")
              .has(R"("done":1)"));
    CHECK(site.get("/api/alarms/" + id).has(R"("shelved_until":"2026-03-10T15:40:00.000Z")"));
    CHECK(site.get("/api/alarms/" + id).has(R"("aside":{"by":"ada","reason":"planned"})"));
    site.clock.at += std::chrono::minutes{60};
    site.look();
    CHECK(site.get("/api/alarms/" + id).has(R"("state":"unacked")"));
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'alarm shelve' and reason = "
                     "'planned'") == 1);
}

TEST_CASE("console alarms: out of service is the engineer's, and nobody acts beyond their areas",
          "[console]") {
    AlarmedSite site;
    const auto id = site.id("power_cut");
    const auto body = R"({"ids":[")" + id + R"("],"text":"rebuilt"})";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/alarms/acts/remove", body).status == 403);
    CHECK(site.post("/api/alarms/acts/assign", R"({"ids":[")" + id + R"("],"to":"nobody"})").status == 400);
    CHECK(site.post("/api/alarms/acts/assign", R"({"ids":[")" + id + R"("],"to":"vic"})").has(R"("done":1)"));
    CHECK(site.get("/api/alarms").has(R"("assigned_to":"vic")"));
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.post("/api/alarms/acts/remove", body).has(R"("done":1)"));
    CHECK(site.get("/api/alarms?state=out_of_service").has(R"("reason":"rebuilt")"));
    CHECK(site.post("/api/alarms/acts/restore", body).has(R"("done":1)"));
    REQUIRE(site.sign_in("ned").status == 200);  // operator of another area
    CHECK_FALSE(site.get("/api/alarms").has("power_cut"));
    CHECK_FALSE(site.get("/api/alarms").has("aggregates_behind"));
    CHECK(site.post("/api/alarms/acts/ack", body).has(R"({"done":0,"left_alone":1})"));
    REQUIRE(site.sign_in("tim").status == 200);  // sees all, operates another area
    CHECK(site.get("/api/alarms").has("power_cut"));
    CHECK(site.post("/api/alarms/acts/ack", body).has(R"({"done":0,"left_alone":1})"));
}
