#include <Poco/Net/StreamSocket.h>

#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

TEST_CASE("console: nothing but log-in, pages and the API's description is open", "[console]") {
    SiteUnderTest site;
    for (const std::string path :
         {"/api/me", "/api/overview", "/api/concentrators", "/api/concentrators/900000000001",
          "/api/concentrators/900000000001/topology", "/api/concentrators/900000000001/statistics",
          "/api/concentrators/900000000001/balance", "/api/network", "/api/losses", "/api/completeness",
          "/api/completeness/900000000001/2026-03-10", "/api/meters", "/api/meters/540000000001",
          "/api/meters/540000000001/curve", "/api/meters/540000000001/events", "/api/quarantine"}) {
        INFO(path);
        const auto reply = site.get(path);
        CHECK(reply.status == 401);
        CHECK(reply.header("content-type") == "application/problem+json");
    }
    CHECK(site.post("/api/meters/540000000001/read", R"({"obis":"1.8.0"})").status == 401);
    CHECK(site.post("/api/logout", "{}").status == 401);
    CHECK(site.send("GET", "/api/ws", "", {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}).status ==
          401);
    CHECK(site.reads.asked.empty());
}

TEST_CASE("console: log-in opens a session whose cookie scripts cannot read, and is audited", "[console]") {
    SiteUnderTest site;
    const auto reply = site.sign_in("ada");
    REQUIRE(reply.status == 200);
    CHECK(reply.has(R"("role":"operator")"));
    const auto cookie = reply.header("set-cookie");
    CHECK(cookie.find("HttpOnly") != std::string::npos);
    CHECK(cookie.find("SameSite=Strict") != std::string::npos);
    CHECK(site.get("/api/me").status == 200);
    CHECK(site.value("select count(*) from wattmesh.audit where actor = 'ada' and action = 'login'") == 1);
    // the token itself is nowhere in the database
    CHECK(site.value("select count(*) from wattmesh.user_session") == 1);

    SECTION("log-out ends it on the server") {
        CHECK(site.post("/api/logout", "{}").status == 204);
        CHECK(site.get("/api/me").status == 401);
        CHECK(site.value("select count(*) from wattmesh.user_session") == 0);
    }
    SECTION("it ends after its time") {
        site.clock.at += std::chrono::hours{13};
        CHECK(site.get("/api/me").status == 401);
    }
    SECTION("disabling the user ends it") {
        site.run("update wattmesh.user_account set disabled = true where login = 'ada'");
        CHECK(site.get("/api/me").status == 401);
    }
    SECTION("a token that was changed is refused") {
        site.cookie.back() = site.cookie.back() == '0' ? '1' : '0';
        CHECK(site.get("/api/me").status == 401);
    }
}

TEST_CASE("console: a wrong log-in does not say what was wrong", "[console]") {
    SiteUnderTest site;
    const auto wrong = site.sign_in("ada", "guess"), nobody = site.sign_in("eve", "guess"),
               disabled = site.sign_in("dis");
    CHECK(wrong.status == 401);
    CHECK(nobody.status == 401);
    CHECK(disabled.status == 401);
    CHECK(wrong.body == nobody.body);
    CHECK(wrong.body == disabled.body);
    CHECK(wrong.header("set-cookie").empty());
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'login refused'") == 3);
    CHECK(site.value("select count(*) from wattmesh.audit where actor = 'eve' or subject = 'eve'") == 0);
}

TEST_CASE("console: log-ins are limited", "[console]") {
    SiteUnderTest site;
    for (int i = 0; i < 5; ++i) CHECK(site.sign_in("ada", "guess").status == 401);
    const auto locked = site.sign_in("ada");  // the right one, but the account is locked now
    CHECK(locked.status == 429);
    CHECK(locked.header("retry-after") == "300");
    site.clock.at += std::chrono::minutes{6};
    CHECK(site.sign_in("ada").status == 200);
    site.cookie.clear();
    // one sender, many names
    int refused = 0;
    for (int i = 0; i < 25; ++i) refused += site.sign_in("name" + std::to_string(i), "guess").status == 429;
    CHECK(refused >= 5);
}

TEST_CASE("console: a writing request needs the token, the type and the same site", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    site.reads.answer.ok = true;
    site.reads.answer.value = dlms::Data{std::uint32_t{7}};
    const std::string path = "/api/meters/540000000001/read", body = R"({"obis":"1-0:1.8.0"})";
    CHECK(site.send("POST", path, body, {{"X-CSRF-Token", ""}}).status == 403);
    CHECK(site.send("POST", path, body, {{"X-CSRF-Token", std::string(64, 'A')}}).status == 403);
    CHECK(site.send("POST", path, body, {{"Origin", "http://evil.example"}}).status == 403);
    CHECK(site.send("POST", path, body, {{"Content-Type", "text/plain"}}).status == 415);
    CHECK(
        site.send("POST", "/api/login", R"({"user":"ada","password":"correct horse"})", {{"Origin", "null"}})
            .status == 403);
    CHECK(site.send("GET", "/api/ws", "",
                    {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Origin", "http://evil.example"}})
              .status == 403);
    CHECK(site.reads.asked.empty());
    CHECK(site.send("POST", path, body,
                    {{"Origin", "http://127.0.0.1:" + std::to_string(site.console->port())}})
              .status == 200);
    CHECK(site.reads.asked.size() == 1);
}

TEST_CASE("console: every answer carries the guards", "[console]") {
    SiteUnderTest site;
    for (const std::string path : {"/api/me", "/nothing.js", "/api/login"}) {
        const auto reply = site.get(path);
        INFO(path);
        const auto csp = reply.header("content-security-policy");
        CHECK(csp.find("default-src 'none'") != std::string::npos);
        CHECK(csp.find("unsafe") == std::string::npos);
        CHECK(reply.header("x-content-type-options") == "nosniff");
        CHECK(reply.header("referrer-policy") == "same-origin");
        CHECK(reply.header("cache-control") == "no-store");
    }
}

TEST_CASE("console: bad input gets a clear refusal", "[console]") {
    SiteUnderTest site;
    struct Row {
        const char* why;
        std::string method, path, body;
        int status;
        std::string says;
    };
    REQUIRE(site.sign_in("ada").status == 200);
    const std::string read = "/api/meters/540000000001/read";
    for (const auto& row : std::vector<Row>{
             {"no JSON", "POST", read, "{", 400, "JSON object"},
             {"an array", "POST", read, "[]", 400, "JSON object"},
             {"empty", "POST", read, "", 400, "JSON object"},
             {"deep", "POST", read, std::string(2000, '['), 400, "JSON object"},
             {"no code", "POST", read, "{}", 400, "'obis'"},
             {"a number for a text", "POST", read, R"({"obis":5})", 400, "'obis'"},
             {"no OBIS code", "POST", read, R"({"obis":"hello"})", 400, "'obis'"},
             {"attribute out of range", "POST", read, R"({"obis":"1.8.0","attribute":900})", 400,
              "'attribute'"},
             {"not UTF-8", "POST", read, "{\"obis\":\"1.8.0\",\"reason\":\"\xC3\x28\"}", 400, ""},
             {"too long", "POST", read, std::string(20'000, ' '), 413, "16 384"},
             {"unknown meter", "POST", "/api/meters/540000000999/read", R"({"obis":"1.8.0"})", 404,
              "no such meter"},
             {"not a number", "GET", "/api/meters/12x", "", 404, "twelve digits"},
             {"unknown meter", "GET", "/api/meters/540000000999", "", 404, "540000000999"},
             {"unknown concentrator", "GET", "/api/concentrators/900000000009/topology", "", 404,
              "900000000009"},
             {"bad day", "GET", "/api/concentrators/900000000001/balance?day=2026-02-30", "", 400, "'day'"},
             {"bad day in the path", "GET", "/api/completeness/900000000001/yesterday", "", 400, "'day'"},
             {"from after to", "GET", "/api/completeness?from=2026-03-11&to=2026-03-10", "", 400, "'from'"},
             {"span too long", "GET", "/api/completeness?from=2025-03-11&to=2026-03-10", "", 400, "61 days"},
             {"no range", "GET", "/api/meters/540000000001/curve", "", 400, "'from'"},
             {"bad channel", "GET",
              "/api/meters/540000000001/curve?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&channel=x",
              "", 400, "'channel'"},
             {"channel of no meter", "GET",
              "/api/meters/540000000001/curve?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&channel=7",
              "", 404, "channel 7"},
             {"bad limit", "GET", "/api/meters?limit=0", "", 400, "'limit'"},
             {"bad cursor", "GET", "/api/meters?cursor=%27", "", 400, "'cursor'"},
             {"bad kind", "GET", "/api/quarantine?kind=x", "", 400, "'kind'"},
             {"wrong method", "GET", read, "", 405, "POST"},
             {"no such address", "GET", "/api/nothing", "", 404, "openapi"},
             {"climbing out", "GET", "/../../etc/passwd", "", 404, ""},
             {"broken escape", "GET", "/api/meters?search=%ZZ", "", 400, ""},
         }) {
        INFO(row.why << ": " << row.path);
        const auto reply = site.send(row.method, row.path, row.body);
        CHECK(reply.status == row.status);
        CHECK(reply.header("content-type") == "application/problem+json");
        CHECK(reply.has(row.says));
    }
    CHECK(site.reads.asked.empty());
    // quotes and wildcards in a search are digits that are not there, not SQL
    CHECK(site.get("/api/meters?search=%27%20or%201%3D1").has(R"("items":[])"));
    CHECK(site.get("/api/meters?search=%25").has(R"("items":[])"));
}

TEST_CASE("console: a body that is refused is taken in, so that its refusal arrives", "[console]") {
    SiteUnderTest site;
    struct Line {
        explicit Line(const SiteUnderTest& site)
            : socket(Poco::Net::SocketAddress{"127.0.0.1", site.console->port()}) {
            socket.setReceiveTimeout(Poco::Timespan{30, 0});
        }
        void send(const std::string& text) { socket.sendBytes(text.data(), static_cast<int>(text.size())); }
        std::string status() {
            std::string text(12, '\0');
            return socket.receiveBytes(text.data(), static_cast<int>(text.size())) == 12 ? text : "";
        }
        Poco::Net::StreamSocket socket;
    };
    const auto head = [](std::size_t length) {
        return "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(length) + "\r\n\r\n";
    };
    Line long_body{site};
    long_body.send(head(3 << 20) + std::string(3 << 20, ' '));
    CHECK(long_body.status() == "HTTP/1.1 413");
    Line cut_short{site};
    cut_short.send(head(100) + "{");
    cut_short.socket.shutdownSend();
    CHECK(cut_short.status() == "HTTP/1.1 408");
}

TEST_CASE("console: without a database it says so and no more", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    site.run("alter table wattmesh.user_session rename to away");
    const auto broken = site.get("/api/me");
    CHECK(broken.status == 500);
    CHECK_FALSE(broken.has("user_session"));
    CHECK_FALSE(broken.has("relation"));
    CHECK_FALSE(broken.has("select"));
    site.run("alter table wattmesh.away rename to user_session");
    CHECK(site.get("/api/me").status == 200);
}
