// Who may ask: tokens, what a contract allows, and that a partner sees nothing that is not its own.
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>

#include "tests/headend/exchange/rest_scene.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const std::string whole_day = "from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z";

}  // namespace

TEST_CASE("partners' rest: a token for client credentials, and nothing without one", "[exchange][db]") {
    RestScene scene;
    const auto granted = scene.ask_token("north-1", "secret of north");
    CHECK(granted.status == 200);
    CHECK(granted.has(R"("token_type":"Bearer","expires_in":900)"));
    CHECK(granted.header("cache-control") == "no-store");
    CHECK(scene.ask_token("north-1", "secret of north", true).status == 200);
    CHECK(scene.town.value("select count(*) from audit where action = 'partner token'") == 2);
    CHECK(scene.town.value("select count(*) from partner_token where token_hash::text like '%wmp%'") == 0);

    for (const auto& wrong :
         {scene.ask_token("north-1", "secret of south"), scene.ask_token("west-1", "secret of west"),
          scene.ask_token("north-1", "secret of south", true)}) {
        CHECK(wrong.status == 401);
        CHECK(wrong.has(R"("error":"invalid_client")"));
        CHECK(wrong.header("www-authenticate").starts_with("Basic"));
    }
    CHECK(scene.town.value("select count(*) from audit where action = 'partner token refused' and subject = "
                           "'north-1' and detail like 'wrong secret%'") == 2);
    CHECK(scene.ask_token("north-1", "").has(R"("error":"invalid_request")"));

    CHECK(scene.ask({.path = "/partner/v1/contract"}).status == 401);
    const auto forged = scene.ask({.path = "/partner/v1/contract", .token = "wmp_" + std::string(64, 'A')});
    CHECK(forged.status == 401);
    CHECK(forged.header("www-authenticate").starts_with("Bearer"));
    CHECK(forged.has("/partner/oauth/token"));
    const auto contract = scene.get("north", "/partner/v1/contract");
    CHECK(contract.status == 200);
    CHECK(contract.has(R"("name":"north","client":"north-1")"));
    CHECK(contract.has(R"("areas":[1])"));
}

TEST_CASE("partners' rest: wrong secrets lock a client for a while", "[exchange][db]") {
    RestScene scene;
    for (int i = 0; i < 10; ++i) CHECK(scene.ask_token("north-1", "guess").status == 401);
    const auto limited = scene.ask_token("north-1", "secret of north");
    CHECK(limited.status == 429);  // ten tries in this minute
    CHECK(limited.header("retry-after") == "60");
    scene.clock.at += std::chrono::minutes{2};
    CHECK(scene.ask_token("north-1", "secret of north").status == 429);  // ten wrong ones in a row
    CHECK(scene.ask_token("south-1", "secret of south").status == 200);
    scene.clock.at += std::chrono::minutes{5};
    CHECK(scene.ask_token("north-1", "secret of north").status == 200);
}

TEST_CASE("partners' rest: a token ends with its time, its client and its contract", "[exchange][db]") {
    RestScene scene;
    const auto status = [&] { return scene.get("north", "/partner/v1/contract").status; };
    REQUIRE(status() == 200);
    auto contract = scene.contract("north");
    contract.disabled = true;
    scene.put(contract);
    CHECK(status() == 401);
    CHECK(scene.ask_token("north-1", "secret of north").status == 401);
    contract.disabled = false;
    scene.put(contract);
    CHECK(status() == 200);
    scene.clock.at += std::chrono::minutes{15};
    CHECK(status() == 401);
    const auto second = scene.ask_token("north-1", "secret of north");
    REQUIRE(second.status == 200);
    const auto token = second.body.substr(second.body.find("wmp_"), 68);
    CHECK(scene.ask({.path = "/partner/v1/contract", .token = token}).status == 200);
    PartnerClients clients{scene.town.admin};
    CHECK(clients.revoke(clients.find("north-1")->id, scene.clock.at));
    CHECK(scene.ask({.path = "/partner/v1/contract", .token = token}).status == 401);
    CHECK(scene.ask_token("north-1", "secret of north").status == 401);
    CHECK_FALSE(clients.revoke(clients.find("north-1")->id, scene.clock.at));
}

TEST_CASE("partners' rest: a partner sees nothing that is not its own", "[exchange][db]") {
    RestScene scene;
    for (const int meter : {1, 2}) scene.lose_power(meter, quarter(3));
    Outbox{scene.exchange}.seal(scene.clock.at, 100);
    scene.town.admin.execute(
        "insert into network_node (tenant, area, kind, number, name) values (1, 1, 4, 'UP-1', 'House 1'), "
        "(1, 2, 4, 'UP-2', 'House 2')",
        "placing houses");
    struct Side {
        std::string partner;
        int own, other;
        std::string place, other_place;
    };
    for (const auto& side : {Side{"north", 1, 2, "UP-1", "UP-2"}, Side{"south", 2, 1, "UP-2", "UP-1"}}) {
        INFO(side.partner);
        const auto own = to_string(customer(side.own)), theirs = to_string(customer(side.other));
        for (const auto& path : {std::string{"/partner/v1/meters"}, "/partner/v1/readings?" + whole_day,
                                 "/partner/v1/events?" + whole_day, std::string{"/partner/v1/feed"}}) {
            INFO(path);
            const auto reply = scene.get(side.partner, path);
            CHECK(reply.status == 200);
            CHECK(reply.has(own));
            CHECK_FALSE(reply.has(theirs));
        }
        const auto places = scene.get(side.partner, "/partner/v1/usage-points");
        CHECK(places.has(side.place));
        CHECK_FALSE(places.has(side.other_place));
        CHECK(scene.get(side.partner, "/partner/v1/meters/" + own).status == 200);
        CHECK(scene.get(side.partner, "/partner/v1/meters/" + theirs).status == 404);
        const auto asked = "&meter=" + own + "," + theirs;
        CHECK_FALSE(scene.get(side.partner, "/partner/v1/readings?" + whole_day + asked).has(theirs));
        CHECK_FALSE(
            scene.get(side.partner, "/partner/v1/readings?" + whole_day + asked, "application/x-ndjson")
                .has(theirs));
        CHECK(scene.get(side.partner, "/partner/v1/events?" + whole_day + "&meter=" + theirs)
                  .has(R"("items":[])"));
        const auto order = [&](const std::string& meter, const std::string& key) {
            return scene.post(
                side.partner, "/partner/v1/commands",
                R"({"command":"read","register":"1.8.0","reason":"r","meters":[")" + meter + "\"]}", key);
        };
        CHECK(order(theirs, "a").status == 404);
        const auto ordered = order(own, "b");  // the same key as the other partner's
        CHECK(ordered.status == 202);
        const auto job = ordered.header("location");
        const std::string stranger = side.partner == "north" ? "south" : "north";
        CHECK(scene.get(stranger, job).status == 404);
        CHECK(scene.get(stranger, job + "/items").status == 404);
        CHECK(scene.post(stranger, job + "/cancel", "").status == 404);
        CHECK(scene.get(stranger, "/partner/v1/jobs").body.find(job.substr(job.rfind('/') + 1) + ",\"kind") ==
              std::string::npos);
        CHECK(scene.get(side.partner, job).status == 200);
    }
    CHECK(scene.town.value("select count(*) from job") == 2);
}

TEST_CASE("partners' rest: what the contract does not name is refused", "[exchange][db]") {
    RestScene scene{{}};
    for (const auto& path :
         {std::string{"/partner/v1/meters"}, "/partner/v1/meters/" + to_string(customer(0)),
          std::string{"/partner/v1/usage-points"}, "/partner/v1/readings?" + whole_day,
          "/partner/v1/events?" + whole_day}) {
        INFO(path);
        const auto reply = scene.get("north", path);
        CHECK(reply.status == 403);
        CHECK(reply.header("content-type") == "application/problem+json");
        CHECK(reply.has("headend partner set north --allow"));
    }
    for (const char* command : {"read", "disconnect", "reconnect"})
        CHECK(scene
                  .post("north", "/partner/v1/commands",
                        std::string{R"({"command":")"} + command +
                            R"(","register":"1.8.0","reason":"r","meters":[")" + to_string(customer(0)) +
                            "\"]}",
                        command)
                  .status == 403);
    CHECK(scene.town.value("select count(*) from job") == 0);
    CHECK(scene.get("north", "/partner/v1/feed").status == 200);  // its topics
}

TEST_CASE("partners' rest: a contract has so many requests a minute", "[exchange][db]") {
    RestScene scene;
    auto contract = scene.contract("north");
    contract.requests_per_minute = 5;
    scene.put(contract);
    for (int i = 0; i < 5; ++i) CHECK(scene.get("north", "/partner/v1/contract").status == 200);
    const auto refused = scene.get("north", "/partner/v1/contract");
    CHECK(refused.status == 429);
    CHECK(refused.header("retry-after") == "13");
    CHECK(scene.get("south", "/partner/v1/contract").status == 200);
    scene.clock.at += std::chrono::seconds{12};
    CHECK(scene.get("north", "/partner/v1/contract").status == 200);
    CHECK(scene.get("north", "/partner/v1/contract").status == 429);
}

TEST_CASE("partners' rest: malformed requests say what is wrong", "[exchange][db]") {
    RestScene scene;
    struct Row {
        const char *method, *path, *body, *key;
        int status;
        const char* says;
    };
    for (const auto& row : {
             Row{"GET", "/partner/v1/nothing", "", "", 404, "openapi.yaml"},
             Row{"GET", "/partner/v1/commands", "", "", 405, "POST"},
             Row{"GET", "/partner/oauth/token", "", "", 405, "POST"},
             Row{"GET", "/partner/v1/meters?cursor=x", "", "", 400, "'cursor'"},
             Row{"GET", "/partner/v1/meters?limit=0", "", "", 400, "'limit'"},
             Row{"GET", "/partner/v1/meters/12", "", "", 404, "twelve"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z", "", "", 400, "'to'"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2027-05-10T00:00:00Z", "", "", 400,
                 "400 days"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2026-03-09T00:00:00Z", "", "", 400,
                 "before"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&meter=1;2",
                 "", "", 400, "commas"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&register=x",
                 "", "", 400, "'register'"},
             Row{"GET",
                 "/partner/v1/"
                 "readings?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&profile=1-0:1.8.0*255",
                 "", "", 400, "'profile'"},
             Row{"GET", "/partner/v1/readings?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&cursor=5", "",
                 "", 400, "'cursor'"},
             Row{"GET", "/partner/v1/events?from=2026-03-10T00:00:00Z&to=2026-05-11T00:00:00Z", "", "", 400,
                 "31 days"},
             Row{"GET", "/partner/v1/events?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&cursor=1.2.3",
                 "", "", 400, "'cursor'"},
             Row{"GET", "/partner/v1/feed?after=-1", "", "", 400, "'after'"},
             Row{"GET", "/partner/v1/feed?after=77", "", "", 400, "ends at 0"},
             Row{"GET", "/partner/v1/jobs/1", "", "", 404, "no job 1"},
             Row{"POST", "/partner/v1/commands", "{}", "", 400, "Idempotency-Key"},
             Row{"POST", "/partner/v1/commands", "{}", "a b", 400, "Idempotency-Key"},
             Row{"POST", "/partner/v1/commands", "{", "k", 400, "JSON"},
             Row{"POST", "/partner/v1/commands", R"({"command":"explode"})", "k", 400, "'command'"},
             Row{"POST", "/partner/v1/commands", R"({"command":"read"})", "k", 400, "'meters'"},
         }) {
        INFO(row.method << " " << row.path << " " << row.body);
        const auto reply = scene.ask({.method = row.method,
                                      .path = row.path,
                                      .body = row.body,
                                      .token = scene.token("north"),
                                      .key = row.key});
        CHECK(reply.status == row.status);
        CHECK(reply.header("content-type") == "application/problem+json");
        CHECK(reply.has(row.says));
    }
    CHECK(scene.post("north", "/partner/v1/commands", std::string(300'000, ' '), "k").status == 413);
}

TEST_CASE("partners' openapi: describes the routes that there are, and no others", "[exchange]") {
    std::ifstream in{"headend/exchange/openapi.yaml"};
    std::set<std::string> described, there{"POST /partner/oauth/token", "GET /partner/openapi.yaml"};
    std::string path;
    for (std::string line; std::getline(in, line);) {
        if (std::smatch match; std::regex_match(line, match, std::regex{"  (/partner/[^:]*):"}))
            path = match[1];
        if (std::smatch match; std::regex_match(line, match, std::regex{"    (get|post|put|delete):"}))
            described.insert((match[1] == "get" ? "GET " : "POST ") + path);
    }
    std::vector<headend::exchange::RestRoute> routes;
    add_master_routes(routes);
    add_reading_routes(routes);
    add_feed_routes(routes);
    add_command_routes(routes);
    add_cim_routes(routes);
    for (const auto& route : routes) there.insert(std::string{route.method} + " " + route.pattern);
    CHECK(described == there);
    RestScene scene;
    CHECK(scene.ask({.path = "/partner/openapi.yaml"}).has("openapi: 3.1.0"));
}
