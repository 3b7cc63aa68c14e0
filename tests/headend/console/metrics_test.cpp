#include <catch2/catch.hpp>
#include <regex>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::Reply;
using wattmesh::test::SiteUnderTest;

namespace {

std::string token_of(SiteUnderTest& site, const std::string& user) {
    REQUIRE(site.sign_in(user).status == 200);
    const auto made = site.post("/api/tokens", R"({"name":"prometheus"})");
    REQUIRE(made.status == 201);
    std::smatch found;
    REQUIRE(std::regex_search(made.body, found, std::regex{"\"token\":\"(wm_[0-9a-fA-F]{64})\""}));
    return found[1];
}

Reply metrics(SiteUnderTest& site, const std::string& token = {}) {
    site.cookie.clear();
    return site.send("GET", "/metrics", "",
                     token.empty()
                         ? std::map<std::string, std::string>{}
                         : std::map<std::string, std::string>{{"Authorization", "Bearer " + token}});
}

}  // namespace

TEST_CASE("console metrics: every line is one that Prometheus reads, and counts the town", "[console]") {
    SiteUnderTest site;
    const auto reply = metrics(site);
    REQUIRE(reply.status == 200);
    CHECK(reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(reply.has("wattmesh_database_up 1\n"));
    CHECK(reply.has("wattmesh_meters{role=\"customer\"} 15\n"));
    CHECK(reply.has("wattmesh_meters{role=\"summary\"} 1\n"));
    CHECK(reply.has("# TYPE wattmesh_rows_stored_total counter\n"));
    CHECK(reply.has("process_resident_memory_bytes"));
    std::istringstream lines{reply.body};
    const std::regex sample{R"re([a-z_][a-z0-9_]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.]+)re"};
    const std::regex comment{"# (HELP|TYPE) [a-z_][a-z0-9_]* .+"};
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        INFO(line);
        CHECK((std::regex_match(line, sample) || std::regex_match(line, comment)));
        CHECK(line.find("5400000000") == std::string::npos);
    }
    CHECK(count > 60);
}

TEST_CASE("console metrics: without loopback only for tokens that see the whole utility", "[console]") {
    headend::console::ConsoleSettings settings;
    settings.metrics_loopback = false;
    SiteUnderTest site{settings};
    CHECK(metrics(site).status == 401);
    CHECK(metrics(site, "wm_" + std::string(64, '0')).status == 401);
    CHECK(metrics(site, token_of(site, "vic")).status == 200);
    CHECK(metrics(site, token_of(site, "ned")).status == 403);  // operator of one area
    REQUIRE(site.sign_in("ned").status == 200);
    CHECK(site.get("/api/system").status == 403);
    REQUIRE(site.sign_in("vic").status == 200);
    CHECK(site.get("/api/system").has(R"("name":"wattmesh_database_up")"));
    CHECK(site.get("/metrics").status == 401);  // a session is no token
}
