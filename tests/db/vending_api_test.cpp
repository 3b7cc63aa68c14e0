#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>

#include "headend/vending/books_file.h"
#include "tests/db/counter.h"

namespace wattmesh::test {

TEST_CASE("vending api: a quote and its sale agree, and the key brings the same octets", "[db]") {
    Counter counter;
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").status == 503);  // not compared yet
    CHECK(counter.post("/api/vend/quotes", counter.order(0, 10'000)).has("not_ready"));
    counter.service->set_ready();
    const auto quote = counter.post("/api/vend/quotes", counter.order(0, 10'000));
    REQUIRE(quote.status == 200);
    CHECK(quote.has("\"customer\":\"C\u2022\u2022 \u2022\u2022\""));  // a stranger's name
    const auto sale = counter.post("/api/vend/sales", counter.order(0, 10'000), "a");
    REQUIRE(sale.status == 200);
    const auto lines = [](const std::string& body) {
        return body.substr(body.find("\"units\":"), body.find(']') - body.find("\"units\":"));
    };
    CHECK(lines(quote.body) == lines(sale.body));
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").body == sale.body);
    CHECK(counter.post("/api/vend/sales", counter.order(1, 10'000), "a").status == 422);
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "").status == 400);
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "a b").status == 400);
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10), "b").has("\"reason\":\"tender\""));
    const auto wanted = counter.post(
        "/api/vend/quotes", R"({"terminal":"T1","meter":")" + counter.meter(1) + R"(","units":"50"})");
    CHECK(wanted.has("\"units\":\"50.0\""));
    // 10.00 + 1.50; 50 kWh at 2.00 = 100.00, levy 2.50, VAT 15.38 (15.375)
    CHECK(wanted.has("\"tender\":12938"));
    CHECK(counter.shop.calls() == 1);
    CHECK(counter.ask("GET", "/api/me", "", counter.operator_).status == 200);  // who he is, he may ask
    CHECK(counter.ask("GET", "/api/me", "", "wm_none").status == 401);
}

TEST_CASE("vending api: who may do what", "[db]") {
    Counter counter;
    counter.service->set_ready();
    CHECK(counter.ask("POST", "/api/vend/quotes", counter.order(0, 10'000), counter.viewer).status == 403);
    CHECK(counter.ask("POST", "/api/vend/quotes", counter.order(0, 10'000), "wm_none").status == 401);
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000, "K1"), "a").status ==
          403);  // another vendor's till
    counter.shop.admin.execute("update user_grant set area = 1 where role = 'supervisor'",
                               "granting in an area");
    CHECK(counter.ask("GET", "/api/vend/meters/" + counter.meter(0), "", counter.supervisor).has("no_areas"));
    counter.shop.admin.execute("update user_grant set area = null", "granting everywhere");
    CHECK(counter
              .post("/api/vend/meters/" + counter.meter(0) + "/free-issues",
                    R"({"terminal":"T1","units":"5","reason":"x"})", "f")
              .status == 403);
    CHECK(counter.ask("POST", "/api/vend/sales", counter.order(0, 10'000, "K1"), counter.supervisor, "a")
              .status == 200);
    const auto id = std::to_string(counter.shop.value("select max(id) from sale"));
    CHECK(counter.ask("GET", "/api/vend/sales/" + id, "", counter.operator_).status == 404);
    CHECK(counter.ask("GET", "/api/vend/sales/" + id, "", counter.supervisor).has("\"state\":\"issued\""));
    CHECK(counter.shop.calls() == 1);
}

TEST_CASE("vending api: confirm, copy, reverse, verify and shifts", "[db]") {
    Counter counter;
    counter.service->set_ready();
    CHECK(counter.post("/api/vend/shifts", R"({"terminal":"T1"})").status == 201);
    CHECK(counter.post("/api/vend/shifts", R"({"terminal":"T1"})").status == 409);
    const auto sale = counter.post("/api/vend/sales", counter.order(0, 10'000), "a");
    REQUIRE(sale.status == 200);
    const auto id = std::to_string(counter.shop.value("select max(id) from sale"));
    std::smatch digits;
    REQUIRE(std::regex_search(sale.body, digits, std::regex{R"(\d{4} \d{4} \d{4} \d{4} \d{4})"}));
    const auto verify = [&](const std::string& token) {
        return counter.post("/api/vend/tokens/verify",
                            R"({"meter":")" + counter.meter(0) + R"(","token":")" + token + "\"}");
    };
    CHECK(verify(digits.str()).has("\"result\":\"good\""));
    CHECK(verify(digits.str()).has("\"sale\":" + id));
    auto wrong = digits.str();
    wrong[0] = wrong[0] == '1' ? '2' : '1';
    CHECK_FALSE(verify(wrong).has("\"result\":\"good\""));
    CHECK(verify("12345").has("20 digits"));
    CHECK(counter.post("/api/vend/sales/" + id + "/confirm", "{}").status == 204);
    CHECK(counter.post("/api/vend/sales/" + id + "/copy", "{}").has("\"copy\":1"));
    const auto tokens =
        counter.ask("GET", "/api/vend/meters/" + counter.meter(0) + "/tokens", "", counter.operator_);
    CHECK(tokens.has(digits.str()));
    CHECK(counter.post("/api/vend/sales/" + id + "/reverse", R"({"reason":"oops"})").status ==
          403);  // confirmed
    CHECK(counter
              .ask("POST", "/api/vend/sales/" + id + "/reverse", R"({"reason":"wrong meter"})",
                   counter.supervisor)
              .status == 204);
    CHECK(counter.shop.value(
              "select count(*) from audit where action = 'sale reversed' and reason = 'wrong meter'") == 1);
    CHECK(counter.post("/api/vend/sales", counter.order(1, 7'000), "b").status == 200);
    const auto closed = counter.post("/api/vend/shifts/close", R"({"terminal":"T1","counted":6900})");
    CHECK(closed.has("\"expected\":7000"));
    CHECK(closed.has("\"difference\":-100"));
    CHECK(counter.shop.books().empty());
}

TEST_CASE("vending api: what a reversal pays back comes out of the drawer of its own shift", "[db]") {
    Counter counter;
    counter.service->set_ready();
    const auto shift = [&](const std::string& act, const std::string& more) {
        return counter.post("/api/vend/shifts" + act, R"({"terminal":"T1")" + more + "}");
    };
    const auto reverse = [&](int id) {
        return counter.ask("POST", "/api/vend/sales/" + std::to_string(id) + "/reverse", R"({"reason":"x"})",
                           counter.supervisor);
    };
    const auto last = [&] { return static_cast<int>(counter.shop.value("select max(id) from sale")); };
    CHECK(shift("", "").status == 201);
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").status == 200);
    const auto first = last();
    CHECK(shift("/close", R"(,"counted":10000)").has("\"expected\":10000"));
    CHECK(shift("", "").status == 201);
    CHECK(counter.post("/api/vend/sales", counter.order(1, 7'000), "b").status == 200);
    CHECK(counter.post("/api/vend/sales", counter.order(1, 3'000), "c").status == 200);
    CHECK(reverse(last()).status == 204);  // in and out of the same drawer
    CHECK(reverse(first).status == 204);
    CHECK(shift("/close", R"(,"counted":0)").has("\"expected\":-3000"));
    const auto order = counter.order(1, 7'000);
    CHECK(
        counter.post("/api/vend/sales", order.substr(0, order.size() - 1) + R"(,"pay_type":"promise"})", "d")
            .has("cash or card"));
    CHECK(counter.shop.books().empty());
}

TEST_CASE("vending api: a supervisor gives units, makes engineering tokens and changes keys", "[db]") {
    Counter counter;
    counter.service->set_ready();
    counter.shop.load_key(201458, 1);
    const auto order = [&](const char* what, const std::string& body, const std::string& key) {
        return counter.ask("POST", "/api/vend/meters/" + counter.meter(0) + "/" + what,
                           R"({"terminal":"T1","reason":"WO 7",)" + body + "}", counter.supervisor, key);
    };
    CHECK(order("free-issues", R"("units":"12.5")", "f").has("\"units\":\"12.5\""));
    CHECK(order("free-issues", R"("units":"1000.1")", "g").has("not_possible"));
    CHECK(order("engineering-tokens", R"("command":"power_limit","watts":3000)", "e").status == 200);
    CHECK(order("engineering-tokens", R"("command":"open")", "o").status == 400);
    CHECK(order("key-changes", R"("supply_group":201458)", "k").status == 200);
    CHECK(order("key-changes", R"("supply_group":999999)", "l").has("no_key"));
    CHECK(counter.shop.value("select count(*) from audit where action in ('vend free', 'vend engineering', "
                             "'vend key_change')") == 4);
    CHECK(counter.ask("GET", "/api/vend/meters/" + counter.meter(0), "", counter.operator_).has("201458/1"));
    CHECK(counter.ask("GET", "/api/vend/health", "", counter.supervisor).has("\"sales_without_end\":0"));
}

TEST_CASE("vending api: openapi describes the routes that there are", "[db]") {
    std::ifstream in{"headend/vending/openapi.yaml"}, source{"headend/vending/api_sales.cpp"},
        more{"headend/vending/api_meters.cpp"}, desk{"headend/vending/api_desk.cpp"},
        ports{"headend/vending/api_ports.cpp"}, reports{"headend/vending/api_reports.cpp"},
        adjustments{"headend/vending/api_adjustments.cpp"};
    std::set<std::string> described{"GET /api/me",
                                    "POST /api/login",
                                    "POST /api/logout",
                                    "POST /api/password",
                                    "GET /api/tokens",
                                    "POST /api/tokens",
                                    "POST /api/tokens/{id}/revoke"},
        found;
    std::string path;
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_match(line, match, std::regex{"  (/api/\\S+):"})) path = match[1];
        if (std::regex_match(line, match, std::regex{"    (get|post|put|delete):"}))
            found.insert((match[1] == "get" ? "GET " : "POST ") + path);
    }
    const std::regex route{R"re(add_route\(routes, counter, "(\w+)", "([^"]+)")re"};
    for (auto* file : {&source, &more, &desk, &ports, &reports, &adjustments})
        for (std::string line; std::getline(*file, line);) {
            std::smatch match;
            if (std::regex_search(line, match, route))
                described.insert(match[1].str() + " " + match[2].str());
        }
    CHECK(found == described);
    CHECK(found.size() == 43);
}

TEST_CASE("vending: the books are taken from a file, whole or not at all", "[db]") {
    Shop shop(0);
    const std::string good =
        R"({"kind":"tariff","tariff":"flat","name":"Flat","valid_from":"2026-01-01T00:00:00Z","steps":[{"price_mills":257310}],"taxes":[{"name":"VAT","ppm":150000}]}
{"kind":"vendor","vendor":"Mall","terminals":["M1","M2"],"fee_ppm":10000}
{"kind":"customer","customer":"C1","name":"Zola","tariff":"flat","opened":"2026-03","free_units":50}
{"kind":"debt","customer":"C1","debt":"old","amount":5000,"recovery":"percent","ppm":200000}

{"kind":"meter","meter":")" +
        std::string{Shop::pan(5).meter_number()} + R"(","customer":"C1","supply_group":201457}
)";
    const auto take = [&](const std::string& text) -> std::string {
        std::istringstream in{text};
        Transaction transaction{shop.admin};
        try {
            const auto lines = headend::vending::take_books(shop.admin, in, shop.clock.now());
            transaction.commit();
            return std::to_string(lines);
        } catch (const headend::vending::BooksError& error) {
            return error.what();
        }
    };
    CHECK_THAT(take(good + "{\"kind\":\"meter\",\"meter\":\"12345678901\"}"),
               Catch::StartsWith("line 7: 'meter'"));
    CHECK(shop.value("select count(*) from prepaid_meter") == 0);
    CHECK(take(good) == "5");
    CHECK_THAT(take("{}"), Catch::Contains("'kind' is missing"));
    CHECK_THAT(take("[1]"), Catch::StartsWith("line 1: not a JSON object"));
    CHECK_THAT(take(good), Catch::StartsWith("line 1: the database refuses it"));  // the version is there
    const auto paid_in = [&] {
        headend::vending::deposit(shop.admin, "Mall", {{50'000}, "B1", "boss", "paid in", shop.clock.now()});
    };
    paid_in();
    CHECK_THROWS_WITH(paid_in(), Catch::Contains("'B1' was taken before"));
    auto order = shop.order(5, "k", 10'000, "M1");
    auto seller = shop.seller();
    const auto reply = Shop::sold(seller.sell(shop.vending, order));
    CHECK_THAT(reply.body, Catch::Contains("\"free_units\":\"50.0\""));
    CHECK(shop.value("select amount from sale_line l join sale s on s.id = l.sale where s.kind = 'sale' and "
                     "l.kind = 'fee'") == 100);
    CHECK(shop.value("select balance from customer_debt") == 5'000 - 1'980);
    CHECK(shop.value("select credit from vendor where name = 'Mall'") == 40'000);
    const auto debt = [&](const std::string& more) {
        return take(R"({"kind":"debt","customer":"C1","debt":"old","recovery":"percent",)" + more + "}");
    };
    CHECK(debt(R"("amount":5000,"ppm":300000,"held":true)") == "1");  // the same debt, on other terms
    CHECK(shop.text("select string_agg(balance || ' ' || ppm || ' ' || held, ',') from customer_debt") ==
          "3020 300000 true");
    CHECK_THAT(debt(R"("amount":6000)"), Catch::Contains("of another amount"));
    CHECK_THAT(
        take(
            R"({"kind":"customer","customer":"C2","name":"Q","tariff":"flat","opened":"2026-03","free_units":500000000})"),
        Catch::Contains("'free_units' is from 0 to"));
    CHECK(shop.books().empty());
}

TEST_CASE("vending: a line of a meter changes what it says, and no key that vending has changed", "[db]") {
    Shop shop(1);
    shop.load_key(201458, 1);
    const auto take = [&](const std::string& members) -> std::string {
        std::istringstream in{R"({"kind":"meter","meter":")" + std::string{Shop::pan(0).meter_number()} +
                              "\"" + members + "}"};
        Transaction transaction{shop.admin};
        try {
            headend::vending::take_books(shop.admin, in, shop.clock.now());
            transaction.commit();
            return {};
        } catch (const headend::vending::BooksError& error) {
            return error.what();
        }
    };
    const auto record = [&] {
        return shop.text(
            "select account || ' ' || supply_group || ' ' || key_revision || ' ' || tariff_index || ' ' || "
            "coalesce(blocked_why, '-') from prepaid_meter");
    };
    const auto account = std::to_string(shop.value("select account from prepaid_meter"));
    CHECK(take(R"(,"tariff_index":7)") == "");
    CHECK(record() == account + " 201457 1 7 -");
    CHECK(take(R"(,"key_revision":10)").find("'key_revision' is from 1 to 9") != std::string::npos);
    CHECK(take(R"(,"supply_group":4294967297)").find("'supply_group' is from 0 to 999999") !=
          std::string::npos);
    auto seller = shop.seller();
    auto change = shop.order(0, "c1", 0);
    change.kind = SaleKind::key_change;
    change.target = headend::vending::KeyTarget{{{201458}, 1}, 7};
    Shop::sold(seller.sell(shop.vending, change));
    CHECK(take(R"(,"supply_group":201457)").find("by a key change") != std::string::npos);
    CHECK(take(R"(,"blocked":"tampered")") == "");
    CHECK(record() == account + " 201458 1 7 tampered");
    CHECK(take(R"(,"blocked":null)") == "");
    CHECK(take(R"(,"supply_group":201457,"other_key":true)") == "");
    CHECK(record() == account + " 201457 1 7 -");
    // a sale that read the meter before it was blocked is not made
    bool once = true;
    auto slow = shop.seller([&](Step step) {
        if (step == Step::read && std::exchange(once, false)) CHECK(take(R"(,"blocked":"tampered")") == "");
    });
    CHECK(Shop::refused(slow.sell(shop.vending, shop.order(0, "k1", 10'000))) == Reason::blocked_meter);
}

}  // namespace wattmesh::test
