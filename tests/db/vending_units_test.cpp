#include <catch2/catch.hpp>

#include "headend/database/read_sales.h"
#include "headend/vending/reconcile.h"
#include "tests/db/counter.h"

namespace wattmesh::test {
namespace {

Order claim_of(Shop& shop, int meter, const std::string& key) {
    auto order = shop.order(meter, key, 0);
    order.kind = SaleKind::claim;
    return order;
}

Order transfer_of(Shop& shop, int from, int to, const std::string& key, std::int64_t tenths) {
    auto order = shop.order(to, key, 0);
    order.kind = SaleKind::transfer;
    order.from = Shop::pan(from);
    order.units = {tenths};
    order.reason = "WO 12";
    return order;
}

void change_out(Shop& shop, int meter) {
    shop.admin.execute("update prepaid_meter set blocked_why = 'changed out' where pan = '" +
                           std::string{Shop::pan(meter).digits()} + "'",
                       "changing a meter");
}

std::string words(const SaleAnswer& answer) {
    const auto* no = std::get_if<Objection>(&answer);
    return no == nullptr ? "sold" : no->words;
}

}  // namespace

TEST_CASE("vending: the month's free units are had once, with a purchase or without one", "[db]") {
    Shop shop;
    shop.admin.execute("update customer_account set free_tenths = 250", "granting free units");
    auto seller = shop.seller();
    const auto reply = Shop::sold(seller.sell(shop.vending, claim_of(shop, 0, "c1")));
    CHECK_THAT(reply.body, Catch::Contains("\"free_units\":\"25.0\"") && Catch::Contains("\"tender\":0"));
    CHECK(shop.calls() == 1);
    CHECK(Shop::sold(seller.sell(shop.vending, claim_of(shop, 0, "c1"))).body == reply.body);
    CHECK_THAT(words(seller.sell(shop.vending, claim_of(shop, 0, "c2"))),
               Catch::Contains("once a month, and this month's were given"));
    // they count towards the month's steps, and owe nobody anything
    CHECK(shop.value("select month_tenths from customer_account where number = 'A0'") == 250);
    CHECK(shop.value("select count(*) from sale_line where sale = (select id from sale where key = 'c1')") ==
          0);
    const auto bought = Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    CHECK_THAT(bought.body, Catch::Contains("\"free_units\":\"0.0\""));
    // a claim collects no charge: that purchase did
    CHECK(shop.value("select count(*) from sale_line where kind = 'charge'") == 1);
    Shop::sold(seller.sell(shop.vending, shop.order(1, "k2", 10'000)));
    CHECK(shop.refused(seller.sell(shop.vending, claim_of(shop, 1, "c3"))) == Reason::not_possible);
    const auto today = std::chrono::floor<std::chrono::days>(shop.clock.now());
    CHECK(SalesReader{shop.vending}.free_claims({.first = today, .last = today}).size() == 2);
    shop.clock.at = shop.clock.now() + std::chrono::hours{24 * 31};
    Shop::sold(seller.sell(shop.vending, claim_of(shop, 0, "c4")));
    CHECK(shop.books().empty());
}

TEST_CASE("vending: a claim that is taken back can be made again, and a crash in it gives nothing twice",
          "[db]") {
    Shop shop;
    shop.admin.execute("update customer_account set free_tenths = 250", "granting free units");
    struct Crash {};
    const auto at = static_cast<Step>(GENERATE(0, 1, 2, 3, 4));
    CAPTURE(static_cast<int>(at));
    auto dying = shop.seller([&](Step step) {
        if (step == at) throw Crash{};
    });
    CHECK_THROWS_AS(dying.sell(shop.vending, claim_of(shop, 0, "c1")), Crash);
    shop.open_module();
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, claim_of(shop, 0, "c1")));
    CHECK(shop.calls() == 1);
    CHECK(shop.refused(seller.sell(shop.vending, claim_of(shop, 0, "c2"))) == Reason::not_possible);
    Sales sales{shop.vending};
    const auto sale = sales.find(shop.order(0, "c1", 1).terminal.id, "c1").value();
    REQUIRE(sales.reverse(sale.id, shop.clock.now(), "boss", "never printed"));
    CHECK(shop.value("select month_tenths from customer_account where number = 'A0'") == 0);
    Shop::sold(seller.sell(shop.vending, claim_of(shop, 0, "c3")));
    CHECK(
        headend::vending::compare_with_module(shop.vending, *shop.module, shop.clock.now()).foreign.empty());
    CHECK(shop.books().empty());
}

TEST_CASE("vending: what was left in a meter that was changed out moves once, and is no more than it got",
          "[db]") {
    Shop shop;
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    const auto got = shop.value("select tenths from sale where key = 'k1'");
    const auto moved = [&](const char* key, int from, int to, std::int64_t tenths) {
        return seller.sell(shop.vending, transfer_of(shop, from, to, key, tenths));
    };
    CHECK_THAT(words(moved("t1", 0, 1, 10)), Catch::Contains("may still buy. Block it"));
    change_out(shop, 0);
    CHECK_THAT(words(moved("t1", 0, 1, got + 1)), Catch::Contains("never got so much"));
    CHECK_THAT(words(moved("t1", 1, 1, 10)), Catch::Contains("the one that gets"));
    CHECK(Shop::refused(moved("t1", 77, 1, 10)) == Reason::unknown_meter);
    const auto month = shop.value("select month_tenths from customer_account where number = 'A1'");
    const auto reply = Shop::sold(moved("t1", 0, 1, got));
    CHECK_THAT(reply.body, Catch::Contains("\"kind\":\"transfer\""));
    CHECK(Shop::sold(moved("t1", 0, 1, got)).body == reply.body);
    CHECK_THAT(words(moved("t2", 0, 2, 10)), Catch::Contains("was moved already, by sale"));
    CHECK(shop.calls() == 2);
    // paid before: it moves neither money nor steps
    CHECK(shop.value("select month_tenths from customer_account where number = 'A1'") == month);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 10'000);
    const auto sale = Sales{shop.vending}.find(shop.order(1, "t1", 1).terminal.id, "t1").value();
    REQUIRE(Sales{shop.vending}.reverse(sale.id, shop.clock.now(), "boss", "wrong meter"));
    Shop::sold(moved("t3", 0, 2, got));
    CHECK(shop.books().empty());
}

TEST_CASE("vending: two supervisors who move what one meter held move it once", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    change_out(shop, 0);
    bool once = true;
    auto slow = shop.seller([&](Step step) {  // between the look at the old meter and the intent
        if (step == Step::read && std::exchange(once, false)) {
            Connection other{shop.database.settings("wm_vending")};
            Shop::sold(seller.sell(other, transfer_of(shop, 0, 2, "t2", 10)));
        }
    });
    CHECK_THAT(words(slow.sell(shop.vending, transfer_of(shop, 0, 1, "t1", 10))),
               Catch::Contains("was moved already"));
    CHECK(shop.calls() == 2);
    CHECK(shop.books().empty());
}

TEST_CASE("vending api: an operator claims free units, a supervisor moves what was left", "[db]") {
    Counter counter;
    counter.service->set_ready();
    counter.shop.admin.execute("update customer_account set free_tenths = 250", "granting free units");
    const auto claim = "/api/vend/meters/" + counter.meter(0) + "/free-units";
    CHECK(counter.post(claim, R"({"terminal":"T1"})", "a").has("\"free_units\":\"25.0\""));
    CHECK(counter.post(claim, R"({"terminal":"T1"})", "b").status == 409);
    CHECK(counter.post(claim, R"({"terminal":"K1"})", "c").status == 403);
    change_out(counter.shop, 0);
    const auto body =
        R"({"terminal":"T1","reason":"WO 12","from":")" + counter.meter(0) + R"(","units":"20.5"})";
    const auto move = "/api/vend/meters/" + counter.meter(1) + "/transfers";
    CHECK(counter.post(move, body, "d").status == 403);
    CHECK(counter.ask("POST", move, body, counter.supervisor, "e").has("\"units\":\"20.5\""));
    CHECK(counter.shop.value(
              "select count(*) from audit where action = 'vend transfer' and reason = 'WO 12'") == 1);
    CHECK(counter.shop.books().empty());
}

TEST_CASE("vending api: a refused sum says the least that would do, in money", "[db]") {
    Shop shop;
    Seller seller{{*shop.module, shop.master, shop.clock, {}, {.currency = "USD"}}};
    // charge 10.00 and its VAT 1.50; a tenth 0.20, its levy 0.01, VAT 0.03
    CHECK(words(seller.sell(shop.vending, shop.order(0, "k", 10))) ==
          "The least that buys something here now is USD 11.74.");
    auto order = shop.order(0, "pay", 5);
    order.kind = SaleKind::payment;
    CHECK(words(seller.sell(shop.vending, order)) == "This account owes USD 0.00.");
}

TEST_CASE("vending: a reversal makes due what its own sale collected, and nothing of later months", "[db]") {
    struct Row {
        const char* recovery;
        long long original, collected;  ///< by the sales that are left, in two months
    };
    const auto row = GENERATE(values<Row>({{"instalment", 5'000, 1'400},
                                           {"first_of_month", 5'000, 700},
                                           {"full", 1'000, 1'000},
                                           {"percent", 900, 900}}));
    CAPTURE(row.recovery);
    Shop shop(1);
    shop.admin.execute("update tariff_version set charge_months_max = 12", "collecting charges of a year");
    shop.admin.execute(
        "insert into customer_debt (account, name, recovery, original, balance, ppm, instalment, "
        "first_month) select id, 'old', '" +
            std::string{row.recovery} + "', " + std::to_string(row.original) + ", " +
            std::to_string(row.original) + ", 500000, 700, " + std::to_string(2026 * 12 + 2) +
            " from customer_account",
        "owing");
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    shop.clock.at = shop.clock.now() + std::chrono::hours{24 * 30};
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k2", 10'000)));
    const SaleId first{shop.value("select id from sale where key = 'k1'")};
    CHECK(Sales{shop.vending}.reverse(first, shop.clock.now(), "boss", "wrong meter"));
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k3", 10'000)));
    const auto collected = [&](const std::string& kind) {
        return shop.value(
            "select coalesce(sum(l.amount), 0) from sale_line l join sale s on s.id = l.sale where "
            "s.state = 'issued' and l.kind = '" +
            kind + "'");
    };
    CHECK(collected("charge") == 2'000);
    CHECK(collected("debt") == row.collected);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: what a supervisor ordered is not taken back at a till", "[db]") {
    Counter counter;
    counter.service->set_ready();
    counter.shop.load_key(201458, 1);
    const auto order = [&](const std::string& what, const std::string& members) {
        const auto made =
            counter.ask("POST", "/api/vend/meters/" + counter.meter(0) + "/" + what,
                        R"({"terminal":"T1","reason":"x",)" + members + "}", counter.supervisor, "k-" + what);
        REQUIRE(made.status == 200);
        return "/api/vend/sales/" + std::to_string(counter.shop.value("select max(id) from sale")) +
               "/reverse";
    };
    const std::string why = R"({"reason":"oops"})";
    const auto free = order("free-issues", R"("units":"5")");
    CHECK(counter.post(free, why).status == 403);
    CHECK(counter.ask("POST", free, why, counter.supervisor).status == 204);
    for (const auto& path : {order("engineering-tokens", R"("command":"clear_tamper")"),
                             order("key-changes", R"("supply_group":201458)")}) {
        CHECK(counter.post(path, why).status == 409);
        CHECK(counter.ask("POST", path, why, counter.supervisor).status == 409);
    }
    CHECK_FALSE(Sales{counter.shop.vending}.reverse(
        SaleId{counter.shop.value("select id from sale where kind = 'key_change'")}, counter.shop.clock.now(),
        "boss", "x"));
    CHECK(counter.shop.books().empty());
}

}  // namespace wattmesh::test
