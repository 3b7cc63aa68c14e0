#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

namespace {

/// A partner with one webhook that gave up a message, one file of which a line was refused; and another
/// tenant's.
void furnish(SiteUnderTest& site) {
    site.run(
        "insert into exchange_contract (tenant, name, topics, changed_us, changed_by) values (1, 'mis', "
        "'{event,outage}', 0, 'test'), (2, 'others', '{event}', 0, 'test')");
    site.run(
        "insert into webhook (contract, name, url, secret, topics, batch, created_us) select id, 'main', "
        "'https://mis.example/', '\\x73656372657420', '{event}', 1, 0 from exchange_contract");
    site.run(
        "insert into webhook_lane (webhook, lane, position, attempts, last_status, last_error, "
        "failing_since_us) select id, lane, 40 + lane, case lane when 2 then 3 else 0 end, 503, 'it answered "
        "503', 1773150000000000 from webhook, generate_series(0, 3) lane");
    site.run("update outbox_head set position = 50");
    site.run(
        "insert into webhook_message (webhook, position, message, state, attempts, status, at_us, body) "
        "select "
        "id, p, 100 + p, case p when 7 then 1 else 0 end, 5, 422, 1773150000000000, '{\"id\":\"' || 100 + p "
        "|| "
        "'\"}' from webhook, generate_series(6, 8) p");
    site.run(
        "insert into file_channel (contract, name, directory, zone, decimals, meters_max, first_day, "
        "after_s, "
        "correct_days) select id, 'billing', '/srv/mis', 'UTC', 3, 1000, '2026-03-01', 0, 10 from "
        "exchange_contract where name = 'mis'");
    site.run(
        "insert into file_sent (channel, day, part, revision, name, lines, total, sha256, written_us, "
        "published, "
        "acknowledged_us, refused) select id, '2026-03-09', 1, 0, 'a.csv', 12, '1.5', '\\x00', "
        "1773150000000000, "
        "true, 1773150000000001, 1 from file_channel");
    site.run(
        "insert into file_line (file, line, meter, register, digest, refused_code, refused_text) select id, "
        "4, 1, "
        "'1-0:1.8.0*255', 9, '2.12', 'no such point' from file_sent");
}
constexpr const char* again = "/api/partners/mis/webhooks/main/again";
constexpr const char* dead = "/api/partners/mis/webhooks/main/messages?dead=true";

}  // namespace

TEST_CASE("console partners: how they stand, those of the own utility, and no secret", "[console]") {
    SiteUnderTest site;
    furnish(site);
    REQUIRE(site.sign_in("vic").status == 200);
    const auto list = site.get("/api/partners");
    REQUIRE(list.status == 200);
    INFO(list.body);
    CHECK(list.has(R"("name":"mis")"));
    CHECK_FALSE(list.has("others"));
    CHECK_FALSE(list.has("736563"));
    CHECK(list.has(R"("behind":10,"attempts":3)"));
    CHECK(list.has("it answered 503"));
    CHECK(list.has(R"("dead":1)"));
    CHECK(list.has(R"("refused":1,"refusals":["line 4, 2.12: no such point"])"));
    CHECK(site.get(dead).status == 403);  // bodies are for engineers
}

TEST_CASE("console partners: what was given up is looked at and sent again, with a reason", "[console]") {
    SiteUnderTest site;
    furnish(site);
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post(again, R"({"reason":"mended"})").status == 403);  // an operator
    REQUIRE(site.sign_in("amy").status == 200);
    const auto messages = site.get(dead);
    REQUIRE(messages.status == 200);
    CHECK(messages.has(R"("position":7)"));
    CHECK(messages.has(R"("event":{"id":"107"})"));
    CHECK_FALSE(messages.has(R"("position":6)"));
    CHECK(site.get("/api/partners/mis/webhooks/other/messages").status == 404);
    CHECK(site.get("/api/partners/others/webhooks/main/messages").status == 404);
    CHECK(site.post(again, "{}").status == 400);
    CHECK(site.post(again, R"({"reason":"mended"})").has(R"("messages":1)"));
    CHECK(site.value("select count(*) from webhook_message where again and position = 7") == 1);
    CHECK(site.value(
              "select count(*) from audit where action = 'partner send again' and subject = 'mis/main' and "
              "reason = 'mended' and actor = 'amy'") == 1);
    site.run("update webhook_message set state = 0");
    const auto nothing = site.post(again, R"({"reason":"mended"})");
    CHECK(nothing.status == 409);
    CHECK(nothing.has("mis/main"));
}
