#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::Reply;
using wattmesh::test::SiteUnderTest;

namespace {

const char* const places[] = {
    "/api/overview",
    "/api/concentrators",
    "/api/concentrators/900000000001",
    "/api/concentrators/900000000001/topology",
    "/api/concentrators/900000000001/mesh",
    "/api/concentrators/900000000001/statistics",
    "/api/concentrators/900000000001/uplink",
    "/api/concentrators/900000000001/balance",
    "/api/completeness",
    "/api/completeness/summary",
    "/api/completeness/900000000001/2026-03-10",
    "/api/meters",
    "/api/meters?search=5400",
    "/api/meters/540000000001",
    "/api/meters/540000000001/curve?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z",
    "/api/meters/540000000001/events",
    "/api/meters/540000000011/route?at=2026-03-10T08:30:00Z",
    "/api/network/transformer/TX-1",
    "/api/network/usage_point/U7",
    "/api/network/usage_point/U7/curve?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z",
    "/api/transformers/TX-1/balance",
    "/api/validation",
    "/api/quarantine",
    "/api/outages"};

std::string token_in(const Reply& reply) {
    const auto at = reply.body.find("wm_");
    return at == std::string::npos ? std::string{} : reply.body.substr(at, 67);
}

}  // namespace

TEST_CASE("console areas: nothing of another area is seen, at no address", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("vic").status == 200);
    for (const std::string place : places) {
        INFO(place);
        const auto reply = site.get(place);
        CHECK(reply.status == 200);
        if (place != "/api/overview") CHECK((reply.has("540000000") || reply.has("900000000001")));
    }
    REQUIRE(site.sign_in("ned").status == 200);  // operator in area 2, where there is nothing
    for (const std::string place : places) {
        INFO(place);
        const auto reply = site.get(place);
        CHECK((reply.status == 200 || reply.status == 404));
        CHECK_FALSE((reply.has("\"54000000") || reply.has("\"9000000000") || reply.has("Mill Road")));
    }
    CHECK(site.get("/api/overview").has(R"("known":0)"));
    CHECK(site.get("/api/overview").has(R"("rows":0)"));
    CHECK(site.post("/api/meters/540000000001/read", R"({"obis":"1.8.0"})").status == 404);
    CHECK(site.reads.asked.empty());
}

TEST_CASE("console areas: a role in one area acts there, and looks where another role lets it", "[console]") {
    SiteUnderTest site;
    site.run("update wattmesh.meter set area = 2 where number = 540000000001");
    REQUIRE(site.sign_in("tim").status == 200);  // viewer, and operator in area 2
    CHECK(site.get("/api/meters/540000000002").status == 200);
    CHECK(site.post("/api/meters/540000000002/read", R"({"obis":"1.8.0"})").status == 404);
    CHECK(site.reads.asked.empty());
    site.post("/api/meters/540000000001/read", R"({"obis":"1.8.0"})");
    CHECK(site.reads.asked.size() == 1);
    REQUIRE(site.sign_in("vic").status == 200);
    const auto refused = site.post("/api/meters/540000000001/read", R"({"obis":"1.8.0"})");
    CHECK(refused.status == 403);
    CHECK(refused.has("role operator"));
}

TEST_CASE("console tokens: a program signs in without cookie, may do less than its owner, and can be stopped",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto looking = site.post("/api/tokens", R"({"name":"billing","days":10})");
    REQUIRE(looking.status == 201);
    const auto acting = site.post("/api/tokens", R"({"name":"reader","look_only":false})");
    const auto look = token_in(looking), act = token_in(acting);
    REQUIRE(look.size() == 67);
    CHECK_FALSE(site.get("/api/tokens").has(look));
    site.cookie.clear();
    site.csrf.clear();
    const auto as = [&](const std::string& token, const std::string& method, const std::string& path,
                        const std::string& body = "") {
        return site.send(method, path, body, {{"Authorization", "Bearer " + token}});
    };
    CHECK(as(look, "GET", "/api/meters/540000000001").status == 200);
    const auto refused = as(look, "POST", "/api/meters/540000000001/read", R"({"obis":"1.8.0"})");
    CHECK(refused.status == 403);
    CHECK(refused.has("may only look"));
    CHECK(site.reads.asked.empty());
    as(act, "POST", "/api/meters/540000000001/read", R"({"obis":"1.8.0"})");
    CHECK(site.reads.asked.size() == 1);
    CHECK(site.value(
              "select count(*) from wattmesh.audit where actor = 'ada (token reader)' and action = 'read'") ==
          1);
    CHECK(as(act, "POST", "/api/tokens", R"({"name":"more"})").status == 403);
    CHECK(
        as(act, "POST", "/api/password", R"({"old_password":"correct horse","password":"another password"})")
            .status == 403);
    CHECK(as(look.substr(0, 66) + (look.back() == '0' ? "1" : "0"), "GET", "/api/me").status == 401);
    CHECK(as("wm_", "GET", "/api/me").status == 401);
    CHECK(as(std::string(2'000, 'f'), "GET", "/api/me").status == 401);
    SECTION("it ends after its days") {
        site.clock.at += std::chrono::hours{24 * 10};
        CHECK(as(look, "GET", "/api/me").status == 401);
        CHECK(as(act, "GET", "/api/me").status == 200);
    }
    SECTION("its owner revokes it") {
        REQUIRE(site.sign_in("ada").status == 200);
        const auto id = site.value("select id from wattmesh.api_token where name = 'billing'");
        CHECK(site.post("/api/tokens/" + std::to_string(id) + "/revoke", "{}").status == 204);
        CHECK(site.post("/api/tokens/" + std::to_string(id) + "/revoke", "{}").status == 404);
        CHECK(site.post("/api/tokens/x/revoke", "{}").status == 404);
        site.cookie.clear();
        CHECK(as(look, "GET", "/api/me").status == 401);
    }
    SECTION("its owner is disabled") {
        site.run("update wattmesh.user_account set disabled = true where login = 'ada'");
        CHECK(as(act, "GET", "/api/me").status == 401);
    }
    SECTION("nobody revokes another's") {
        REQUIRE(site.sign_in("amy").status == 200);
        const auto id = site.value("select id from wattmesh.api_token where name = 'billing'");
        CHECK(site.post("/api/tokens/" + std::to_string(id) + "/revoke", "{}").status == 404);
    }
}

TEST_CASE("console users: an administrator adds and changes them, and the log holds who, why, before, after",
          "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(site.get("/api/areas").has("Area 2"));
    CHECK_FALSE(site.get("/api/areas").has("Elsewhere"));
    const auto added = site.post(
        "/api/users",
        R"({"user":"bob","name":"Bob","password":"a good password","grants":[{"role":"viewer"},{"role":"engineer","area":2}],"reason":"new in the control room"})");
    REQUIRE(added.status == 201);
    CHECK(added.has(R"("role":"engineer","area":2)"));
    CHECK_FALSE(added.has("scrypt"));
    CHECK(site.value("select count(*) from wattmesh.audit where actor = 'amy' and action = 'user add' and "
                     "subject = 'bob' and "
                     "reason = 'new in the control room' and before is null and after = 'Bob: viewer, "
                     "engineer in area 2'") == 1);
    REQUIRE(site.post("/api/users/bob", R"({"grants":[{"role":"operator"}],"reason":"moved"})").status ==
            200);
    CHECK(
        site.value("select count(*) from wattmesh.audit where action = 'user change' and subject = 'bob' and "
                   "before = 'Bob: viewer, engineer in area 2' and after = 'Bob: operator'") == 1);
    CHECK(site.value("select count(*) from wattmesh.audit where detail like '%password%' or after like "
                     "'%password%'") == 0);

    SECTION("a new password ends the sessions of the old one") {
        REQUIRE(site.sign_in("bob", "a good password").status == 200);
        const auto cookie = site.cookie;
        REQUIRE(site.sign_in("amy").status == 200);
        REQUIRE(
            site.post("/api/users/bob", R"({"password":"a better password","reason":"forgot it"})").status ==
            200);
        site.cookie = cookie;
        CHECK(site.get("/api/me").status == 401);
        CHECK(site.sign_in("bob", "a good password").status == 401);
        CHECK(site.sign_in("bob", "a better password").status == 200);
    }
    SECTION("who is disabled is out at once and cannot come back") {
        REQUIRE(site.sign_in("bob", "a good password").status == 200);
        const auto cookie = site.cookie;
        REQUIRE(site.sign_in("amy").status == 200);
        REQUIRE(site.post("/api/users/bob", R"({"disabled":true,"reason":"left"})").status == 200);
        site.cookie = cookie;
        CHECK(site.get("/api/me").status == 401);
        CHECK(site.sign_in("bob", "a good password").status == 401);
    }
    SECTION("everybody changes the own password, who knows the old one") {
        REQUIRE(site.sign_in("bob", "a good password").status == 200);
        CHECK(
            site.post("/api/password", R"({"old_password":"wrong","password":"a better password"})").status ==
            403);
        CHECK(site.post("/api/password", R"({"old_password":"a good password","password":"short"})").status ==
              400);
        CHECK(
            site.post("/api/password", R"({"old_password":"a good password","password":"a better password"})")
                .status == 204);
        CHECK(site.get("/api/me").status == 401);
        CHECK(site.sign_in("bob", "a better password").status == 200);
    }
}

TEST_CASE("console users: what is wrong is refused with the way out", "[console]") {
    SiteUnderTest site;
    for (const std::string user : {"ada", "vic", "ned"}) {
        REQUIRE(site.sign_in(user).status == 200);
        CHECK(site.get("/api/users").status == 403);
        CHECK(site.post("/api/users", "{}").status == 403);
        CHECK(site.post("/api/users/ada", R"({"grants":[{"role":"administrator"}],"reason":"me"})").status ==
              403);
        CHECK(site.get("/api/audit").status == 403);
    }
    REQUIRE(site.sign_in("amy").status == 200);
    struct Row {
        const char* path;
        const char* body;
        int status;
        const char* says;
    };
    const Row rows[] = {
        {"/api/users", R"({"user":"ada","password":"a good password","reason":"x"})", 409, "already"},
        {"/api/users", R"({"user":"Bob Smith","password":"a good password","reason":"x"})", 400,
         "small letters"},
        {"/api/users", R"({"user":"bob","password":"short","reason":"x"})", 400, "at least 10"},
        {"/api/users", R"({"user":"bob","password":"a good password"})", 400, "'reason'"},
        {"/api/users",
         R"({"user":"bob","password":"a good password","reason":"x","grants":[{"role":"king"}]})", 400,
         "viewer, operator"},
        {"/api/users",
         R"({"user":"bob","password":"a good password","reason":"x","grants":[{"role":"viewer","area":3}]})",
         400, "no area 3"},
        {"/api/users", R"({"user":"bob","password":"a good password","reason":"x","grants":"all"})", 400,
         "'grants'"},
        {"/api/users", R"({"user":"bob","password":"a good password","reason":"x","grants":[7]})", 400,
         "'grants'"},
        {"/api/users/nobody", R"({"reason":"x"})", 404, "nobody"},
        {"/api/users/amy", R"({"grants":[],"reason":"x"})", 409, "another administrator"},
        {"/api/users/amy", R"({"disabled":true,"reason":"x"})", 409, "another administrator"},
        {"/api/users/ada", R"({"disabled":"yes","reason":"x"})", 400, "true or false"},
    };
    for (const auto& row : rows) {
        INFO(row.path << " " << row.body);
        const auto reply = site.post(row.path, row.body);
        CHECK(reply.status == row.status);
        CHECK(reply.has(row.says));
    }
    CHECK(site.value("select count(*) from wattmesh.user_account where login in ('bob', 'Bob Smith')") == 0);
    site.run("update wattmesh.user_grant set area = 1 where role = 'administrator'");
    CHECK(site.get("/api/users").status == 403);  // of one area: not of the accounts
}

TEST_CASE("console audit: an auditor reads it, newest first, and sees what is sealed", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("amy").status == 200);
    REQUIRE(
        site.post("/api/users/vic", R"({"grants":[{"role":"auditor"}],"reason":"yearly audit"})").status ==
        200);
    REQUIRE(site.sign_in("vic").status == 200);
    auto reply = site.get("/api/audit?action=user%20change");
    REQUIRE(reply.status == 200);
    CHECK(reply.has(
        R"("actor":"amy","action":"user change","subject":"vic","detail":"","reason":"yearly audit","before":"Vic: viewer","after":"Vic: auditor")"));
    CHECK(reply.has(R"("number":null)"));
    CHECK(site.get("/api/audit/verify").has(R"("whole":true,"sealed":0,"waiting":3)"));
    site.run(
        "set search_path = wattmesh; select audit_seal(100); update audit set reason = 'none' where reason = "
        "'yearly audit'");
    reply = site.get("/api/audit/verify");
    CHECK(reply.has(R"("whole":false)"));
    CHECK(reply.has(R"("first_broken":2)"));
    CHECK(site.get("/api/audit?limit=1").has(R"("action":"login")"));
    CHECK(site.get("/api/audit?below=x").status == 400);
    CHECK(site.get("/api/audit?actor=nobody").has(R"("items":[])"));
}
