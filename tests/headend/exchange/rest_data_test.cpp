// What partners read: the stored values in every form, master data, and the feed.
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "headend/exchange/cloud_event.h"
#include "headend/exchange/reading_pieces.h"
#include "headend/exchange/reading_text.h"
#include "terminal-sim/tool/rest_partner.h"
#include "tests/headend/exchange/rest_scene.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const std::string span = "from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z";
constexpr const char* lines_type = "application/x-ndjson";

/// "meter at channel value" of every value in rows of readings, in the order in which they come.
std::vector<std::string> values_in(const std::string& body) {
    std::vector<std::string> found;
    static const std::regex row{
        R"re(\{"meter":"(\d+)","at":"([^"]+)"(?:,"status":\d+)?,"values":\[(.*?\]\})\]\})re"};
    static const std::regex value{R"re("channel":(\d).*?"value":(-?\d+))re"};
    for (std::sregex_iterator at{body.begin(), body.end(), row}, end; at != end; ++at) {
        const auto values = (*at)[3].str();
        for (std::sregex_iterator one{values.begin(), values.end(), value}; one != end; ++one)
            found.push_back((*at)[1].str() + " " + (*at)[2].str() + " " + (*one)[1].str() + " " +
                            (*one)[2].str());
    }
    return found;
}

std::string next_of(const std::string& body) {
    std::smatch match;
    return std::regex_search(body, match, std::regex{R"re("next":"([^"]*)")re"}) ? match[1].str()
                                                                                 : std::string{};
}

/// Every page of an address, limited to so many items.
std::vector<std::string> pages(RestScene& scene, const std::string& partner, const std::string& path,
                               int limit) {
    std::vector<std::string> bodies;
    std::string cursor;
    do {
        const auto reply = scene.get(
            partner, path + "&limit=" + std::to_string(limit) + (cursor.empty() ? "" : "&cursor=" + cursor));
        REQUIRE(reply.status == 200);
        bodies.push_back(reply.body);
        cursor = next_of(reply.body);
    } while (!cursor.empty());
    return bodies;
}

}  // namespace

TEST_CASE("partners' rest: readings are the stored values, as pages and as lines", "[exchange][db]") {
    RestScene scene;
    std::vector<std::string> stored;
    for (int meter = 0; meter < 2; ++meter)
        for (int i = 1; i <= 8; ++i)
            for (int channel = 0; channel < 4; ++channel)
                stored.push_back(to_string(customer(meter)) + " 2026-03-10T0" + std::to_string(i / 4) + ":" +
                                 (i % 4 == 0 ? "00" : std::to_string(i % 4 * 15)) + ":00.000Z " +
                                 std::to_string(channel + 1) + " " +
                                 std::to_string((100 * meter + i) * 10 + channel));
    const auto whole = scene.get("north", "/partner/v1/readings?" + span);
    REQUIRE(whole.status == 200);
    CHECK(values_in(whole.body) == stored);
    CHECK(whole.has(
        R"("register":"1-0:1.8.0*255","reading_type":"0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0","unit":"Wh","scaler":0,"value":10,"quality":[])"));
    for (const int limit : {1, 3, 7, 8, 16, 17}) {
        INFO(limit);
        std::vector<std::string> paged;
        for (const auto& body : pages(scene, "north", "/partner/v1/readings?" + span, limit)) {
            const auto values = values_in(body);
            CHECK(values.size() <= static_cast<std::size_t>(4 * limit));
            paged.insert(paged.end(), values.begin(), values.end());
        }
        CHECK(paged == stored);
    }
    const auto lines = scene.get("north", "/partner/v1/readings?" + span, lines_type);
    CHECK(lines.header("content-type") == lines_type);
    CHECK(lines.header("transfer-encoding") == "chunked");
    CHECK(values_in(lines.body) == stored);
    CHECK(lines.body.ends_with("]}\n{\"complete\":true,\"rows\":16}\n"));

    const auto some =
        scene.get("north", "/partner/v1/readings?from=2026-03-10T00:15:00Z&to=2026-03-10T00:45:00Z&meter=" +
                               to_string(customer(1)) + "&register=1-0:2.8.0*255");
    CHECK(values_in(some.body) ==
          std::vector<std::string>{to_string(customer(1)) + " 2026-03-10T00:30:00.000Z 2 1021",
                                   to_string(customer(1)) + " 2026-03-10T00:45:00.000Z 2 1031"});
}

TEST_CASE("partners' rest: a reading carries what is known against it", "[exchange][db]") {
    RestScene scene;
    scene.town.admin.execute("update interval_row set quality = 256, status = 32 where at_us = " +
                                 std::to_string(epoch_us(quarter(2))) +
                                 "; insert into validation_finding select m.id, 1, 0, 'spike', " +
                                 std::to_string(epoch_us(quarter(2))) + ", " +
                                 std::to_string(epoch_us(quarter(3))) +
                                 ", 'fail', '3.6.3', 1, 1, 1, m.tenant, m.area from meter m",
                             "doubting");
    const auto reply =
        scene.get("north", "/partner/v1/readings?" + span + "&meter=" + to_string(customer(0)));
    CHECK(reply.has(R"("at":"2026-03-10T00:30:00.000Z","status":32,)"));
    const auto quality = [&](int value) {
        const auto at = reply.body.find("\"value\":" + std::to_string(value) + ",");
        return reply.body.substr(at, reply.body.find(']', at) - at + 1);
    };
    CHECK(quality(10) == R"("value":10,"quality":[])");
    CHECK(quality(20) == R"("value":20,"quality":["3.6.3"])");
    CHECK(quality(21) == R"("value":21,"quality":["1.1.9","3.6.3"])");
    CHECK(quality(30) == R"("value":30,"quality":["3.6.3"])");
    CHECK(quality(40) == R"("value":40,"quality":[])");
}

TEST_CASE("partners' rest: two streams at once for a contract", "[exchange]") {
    headend::exchange::RestBudget budget;
    const ContractId mis{1}, strange{2};
    auto first = budget.begin(mis), second = budget.begin(mis);
    CHECK(first);
    CHECK(second);
    CHECK_FALSE(budget.begin(mis));
    CHECK(budget.begin(strange));
    first.reset();
    CHECK(budget.begin(mis));
}

TEST_CASE("partners' rest: master data in pages, and not again when it is as it was", "[exchange][db]") {
    RestScene scene;
    scene.town.admin.execute(
        "insert into network_node (tenant, area, kind, number, name, latitude_e7, longitude_e7) values "
        "(1, 1, 3, 'TX-1', 'Station', null, null), (1, 1, 4, 'UP-1', 'House 1', 123456789, -5), (1, 1, 4, "
        "'UP-2', "
        "'House 2', null, null); insert into network_link (node, kind, parent, from_us, tenant, area) select "
        "u.id, 4, "
        "t.id, 0, 1, 1 from network_node u, network_node t where u.kind = 4 and t.kind = 3; insert into "
        "meter_installation (meter, node, kind, from_us, tenant, area) select m.id, n.id, 4, 0, 1, 1 from "
        "meter m, "
        "network_node n where n.number = 'UP-1' and m.number = " +
            std::to_string(customer(0).integer()),
        "wiring");
    const auto all = scene.get("north", "/partner/v1/meters");
    CHECK(all.has(
        R"({"meter":")" + to_string(customer(0)) +
        R"(","serial":null,"model":"WM-SIM-3","manufacturer":"WMT","role":"customer","area":"Area 1",)"
        R"("installed":"2026-03-10T00:00:00.000Z","usage_point":"UP-1","transformer":"TX-1"})"));
    CHECK(next_of(all.body).empty());
    const auto found = pages(scene, "north", "/partner/v1/meters?", 1);
    CHECK(found.size() == 3);  // two of one meter, and an empty one
    CHECK(found[0].find(to_string(customer(0))) != std::string::npos);
    CHECK(found[1].find(to_string(customer(1))) != std::string::npos);
    const auto places = scene.get("north", "/partner/v1/usage-points");
    CHECK(places.has(R"({"usage_point":"UP-1","name":"House 1","area":"Area 1","latitude":12.3456789,)"));
    CHECK(places.has(R"("transformer":"TX-1","meter":")" + to_string(customer(0)) +
                     R"(","meter_since":"1970-01-01T00:00:00.000Z"})"));
    CHECK(places.has(R"("usage_point":"UP-2","name":"House 2","area":"Area 1","latitude":null,)"));

    const auto tag = all.header("etag");
    REQUIRE(tag.size() > 10);
    const auto again = [&] {
        return scene.ask(
            {.path = "/partner/v1/meters", .token = scene.token("north"), .if_none_match = "\"x\", " + tag});
    };
    CHECK(again().status == 304);
    CHECK(again().body.empty());
    scene.town.admin.execute(
        "update meter set serial = 'S-1' where number = " + std::to_string(customer(1).integer()),
        "changing a meter");
    const auto changed = again();
    CHECK(changed.status == 200);
    CHECK(changed.has(R"("serial":"S-1")"));
    CHECK(changed.header("etag") != tag);
}

TEST_CASE("partners' rest: events in order, page by page, in the partner's words", "[exchange][db]") {
    RestScene scene;
    auto contract = scene.contract("north");
    contract.event_codes = {{"power_lost", "PL01"}};
    scene.put(contract);
    for (int i = 0; i < 5; ++i) scene.lose_power(i % 2, quarter(i < 3 ? 7 : i));  // three at one instant
    const auto whole = scene.get("north", "/partner/v1/events?" + span);
    CHECK(whole.has(R"("name":"power_lost","code":"PL01","concentrator":"900000000001","meter":")"));
    const std::regex at{
        R"re("at":"[^"]+","received":"[^"]+","name":"\w+","code":"\w+","concentrator":"\d+","meter":"\d+")re"};
    const auto events_in = [&](const std::string& body) {
        return std::vector<std::string>{std::sregex_token_iterator{body.begin(), body.end(), at}, {}};
    };
    const auto expected = events_in(whole.body);
    REQUIRE(expected.size() == 5);
    CHECK(std::is_sorted(expected.begin(), expected.end(),
                         [](const auto& a, const auto& b) { return a.substr(0, 30) < b.substr(0, 30); }));
    std::vector<std::string> paged;
    for (const auto& body : pages(scene, "north", "/partner/v1/events?" + span, 2))
        for (const auto& event : events_in(body)) paged.push_back(event);
    CHECK(paged == expected);
}

TEST_CASE("partners' rest: the feed has the outbox in order, in the words of the webhook", "[exchange][db]") {
    RestScene scene;
    for (int i = 0; i < 10; ++i) scene.tell(i % 2 + 1, "meter.power_lost", "M" + std::to_string(i));
    const auto contract = scene.contract("north");
    const auto told = Outbox{scene.exchange}.after(contract, contract.topics, {}, 0, 100).messages;
    REQUIRE(told.size() == 5);
    std::string expected;
    for (const auto& message : told)
        expected += (expected.empty() ? "" : ",") + headend::exchange::cloud_event(message, contract.tenant);
    const auto whole = scene.get("north", "/partner/v1/feed?after=0");
    CHECK(whole.body == R"({"items":[)" + expected + R"(],"next":"10","more":false})");

    // Page by page, without a word where it is: it goes on behind what was confirmed.
    std::set<std::string> subjects;
    std::string next;
    for (int page = 0; page < 3; ++page) {
        const auto reply =
            scene.get("north", "/partner/v1/feed?limit=2" + (next.empty() ? "" : "&after=" + next));
        next = next_of(reply.body);
        const std::regex subject{R"re("subject":"(M\d)")re"};
        for (std::sregex_iterator one{reply.body.begin(), reply.body.end(), subject}, end; one != end; ++one)
            CHECK(subjects.insert((*one)[1].str()).second);
    }
    CHECK(subjects.size() == 5);
    scene.tell(1, "meter.joined", "new");
    const auto later = scene.get("north", "/partner/v1/feed?after=" + next);
    CHECK(later.has(R"("subject":"new")"));
    CHECK(scene.get("north", "/partner/v1/feed?after=" + next_of(later.body)).has(R"("items":[])"));
    CHECK(scene.get("north", "/partner/v1/feed").has(R"("items":[])"));
}

TEST_CASE("partners' rest: what a feed has not confirmed waits, and what is gone is said", "[exchange][db]") {
    RestScene scene;
    for (int i = 0; i < 4; ++i) scene.tell(1, "meter.power_lost", "M" + std::to_string(i));
    CHECK(scene.get("north", "/partner/v1/feed?limit=2").has(R"("next":"2")"));
    CHECK(scene.get("north", "/partner/v1/feed?after=2&limit=1").has(R"("next":"3")"));
    const auto sealed = scene.clock.at;
    Outbox outbox{scene.exchange};
    CHECK(outbox.drop(sealed + std::chrono::seconds{1}) == 4);  // he has not moved since then
    CHECK(outbox.dropped() == 4);
    const auto gone = scene.get("north", "/partner/v1/feed");
    CHECK(gone.status == 410);
    CHECK(gone.has("after=4"));
    CHECK(scene.get("north", "/partner/v1/feed?after=3").status == 410);
    CHECK(scene.get("north", "/partner/v1/feed?after=4").has(R"("items":[])"));

    for (int i = 0; i < 4; ++i) scene.tell(1, "meter.power_lost", "N" + std::to_string(i));
    scene.clock.at += std::chrono::minutes{5};
    CHECK(scene.get("north", "/partner/v1/feed?after=5").has("N3"));
    CHECK(outbox.drop(scene.clock.at) == 1);  // he has moved: 6 to 8 wait for him
    CHECK(scene.get("north", "/partner/v1/feed").has("N1"));
    CHECK(scene.get("south", "/partner/v1/feed").status == 200);  // begins behind what is gone
}

TEST_CASE("partners' rest: an independent program pulls everything, over all pages", "[exchange][db]") {
    RestScene scene;
    for (int i = 0; i < 120; ++i) scene.tell(1, "meter.power_lost", "M" + std::to_string(i));
    const auto base = platform::HttpUrl::parse("http://127.0.0.1:" + std::to_string(scene.server->port()));
    sim::RestPartner partner{*base, {"north-1", "secret of north"}, {}};
    CHECK(partner.meters() == std::vector<DeviceNumber>{customer(0), customer(1)});
    const auto lines = partner.readings(midnight, quarter(96));
    REQUIRE(lines.size() == 2 * 8 * 4);
    CHECK(lines[5] == sim::ReadingLine{customer(0), epoch_us(quarter(2)) / 1'000'000, 2, 21});
    CHECK(partner.readings(midnight, quarter(96), {customer(0), customer(1)}, 3) == lines);
    std::int64_t told = 0;
    const auto feed = partner.feed([&](const std::string&) { ++told; });
    CHECK(feed.messages == 120);
    CHECK(told == 120);
    CHECK(feed.place == "120");
    scene.clock.at += std::chrono::minutes{15};  // its token is over: it gets another one
    CHECK(partner.meters().size() == 2);
    sim::RestPartner wrong{*base, {"north-1", "secret of south"}, {}};
    CHECK_THROWS_WITH(wrong.meters(), Catch::Contains("invalid_client"));
}

TEST_CASE("partners' rest: who wants few rows has few loaded, and misses none", "[exchange][db]") {
    RestScene scene;
    using namespace headend::exchange;
    const auto contract = scene.contract("north");
    ReadingQuery query{.bank = {}, .from = midnight, .to = midnight + std::chrono::hours{24}};
    {
        const auto connection = scene.desk->seen(contract);
        query.bank = PartnerReadings{*connection}.bank(obis::load_profile).value();
    }
    std::vector<std::pair<DeviceNumber, Instant>> all, few;
    ReadingPieces whole{*scene.desk, contract, query, std::nullopt};
    while (const auto piece = whole.next())
        for (const auto& row : piece->rows) all.emplace_back(piece->meters[row.meter].number, row.at);
    CHECK(all.size() == 16);
    for (const std::int64_t wanted : {1, 3, 8, 100}) {
        few.clear();
        ReadingPieces pieces{*scene.desk, contract, query, std::nullopt, wanted};
        while (const auto piece = pieces.next()) {
            CHECK(static_cast<std::int64_t>(piece->rows.size()) <= wanted);
            for (const auto& row : piece->rows) few.emplace_back(piece->meters[row.meter].number, row.at);
        }
        CHECK(few == all);
    }
}

TEST_CASE("readings as text: decimals are exact, instants are whole", "[exchange]") {
    const auto decimal = [](std::int64_t value, int exponent) {
        std::string out;
        headend::exchange::append_decimal(out, value, exponent);
        return out;
    };
    CHECK(decimal(0, 0) == "0");
    CHECK(decimal(0, 3) == "0");
    CHECK(decimal(0, -3) == "0.000");
    CHECK(decimal(7, 2) == "700");
    CHECK(decimal(-7, -3) == "-0.007");
    CHECK(decimal(1'234, -3) == "1.234");
    CHECK(decimal(INT64_MIN, -1) == "-922337203685477580.8");
    std::string at;
    headend::exchange::append_iso(at, midnight + std::chrono::milliseconds{86'399'007});
    CHECK(at == "2026-03-10T23:59:59.007Z");
}
