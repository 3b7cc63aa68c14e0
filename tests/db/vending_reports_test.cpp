#include <catch2/catch.hpp>

#include "headend/database/read_sales.h"
#include "tests/db/counted.h"
#include "tests/db/counter.h"

namespace wattmesh::test {

TEST_CASE("vending reports: what was taken back is not in them, and a file is written down", "[db]") {
    Counter counter{{.utility = "Riverside", .currency = "R"}};
    counter.service->set_ready();
    REQUIRE(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").status == 200);
    REQUIRE(counter.post("/api/vend/sales", counter.order(1, 20'000), "b").status == 200);
    const auto id = std::to_string(counter.shop.value("select max(id) from sale"));
    const auto ask = [&](const std::string& report, const std::string& rest = "") {
        return counter.ask("GET", "/api/vend/reports/" + report + "?from=2026-03-01&to=2026-03-31" + rest, "",
                           counter.supervisor);
    };
    CHECK(ask("sales").has("\"Paid: R 300.00\""));
    CHECK(ask("sales").has(R"(["2026-03-10","Home","Corner",2,0,"300.00")"));
    CHECK(counter.ask("POST", "/api/vend/sales/" + id + "/reverse", R"({"reason":"x"})", counter.supervisor)
              .status == 204);
    CHECK(ask("sales").has("\"Paid: R 100.00\""));
    CHECK(ask("tax").has("\"VAT\",\"15.0000\",1"));
    CHECK(ask("anomalies").has("money back"));
    CHECK(ask("anomalies").has("sale " + id + " of olga"));
    CHECK(counter.shop.value("select count(*) from audit where action = 'vend report'") == 0);
    const auto csv = ask("sales", "&format=csv");
    CHECK(csv.type == "text/csv; charset=utf-8");
    CHECK(csv.has("2026-03-10,Home,Corner,1,0,100.00"));
    CHECK(ask("sales", "&format=xlsx").has("xl/worksheets"));
    CHECK(ask("debt", "&format=pdf").has("%PDF-"));
    CHECK(counter.shop.value(
              "select count(*) from audit where action = 'vend report' and actor like 'sue%'") == 3);
    CHECK(counter.ask("GET", "/api/vend/reports/sales", "", counter.supervisor)
              .has(R"("from":"2026-03-04","to":"2026-03-10")"));
    // 23:00 UTC is half past four in the morning there.
    const auto tenth = std::chrono::sys_days{std::chrono::year{2026} / 3 / 10};
    SalesReader reader{counter.shop.vending};
    CHECK(reader.local_day({1}, Instant{tenth} + std::chrono::hours{23}) == tenth + std::chrono::days{1});
    CHECK(ask("sales", "&format=doc").status == 400);
    CHECK(ask("profit").status == 404);
    CHECK(counter.ask("GET", "/api/vend/reports/sales?from=2026-03-01&to=2025-03-31", "", counter.supervisor)
              .status == 400);
    CHECK(counter.ask("GET", "/api/vend/reports/sales", "", counter.operator_).status == 403);
}

TEST_CASE("vending reports: what the server charged is in them, as the ledger has it", "[db]") {
    using namespace std::chrono_literals;
    Counted counted;
    auto& shop = counted.shop;
    shop.admin.execute("update customer_account set free_tenths = 20", "giving two free kWh a month");
    counted.enrol();
    counted.pay(10'000);
    const auto from = shop.clock.now();
    counted.pass(6h);
    counted.use(from, shop.clock.now(), 500);  // 12 kWh, of which 2 are free: 20.00, levy 0.50, tax 3.08
    REQUIRE(counted.charge());
    counted.pass(24h);
    counted.use(shop.clock.now() - 1h, shop.clock.now(), 500);  // 2 kWh: 4.00, 0.10, 0.62
    REQUIRE(counted.charge());
    SalesReader reader{shop.vending};
    const SalesSpan span{.first = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1},
                         .last = std::chrono::sys_days{std::chrono::year{2026} / 3 / 31}};
    const auto days = reader.sales(span);
    REQUIRE(days.size() == 3);  // the sale, and two days
    const auto part = [&](std::size_t day, pricing::LineKind kind) {
        return days.at(day).by_kind[static_cast<std::size_t>(kind)].minor;
    };
    using pricing::LineKind;
    CHECK(days[0].vendor.empty());
    CHECK(days[0].units == Tenths{100});
    CHECK(days[0].free_units == Tenths{20});
    CHECK(days[0].tender == Money{});
    CHECK(part(0, LineKind::energy) == 2'000);
    CHECK(part(0, LineKind::levy) == 50);
    CHECK(part(0, LineKind::tax) == 308);
    CHECK(part(0, LineKind::credit) == -2'358);
    CHECK(days[1].vendor == "Corner");
    CHECK(part(1, LineKind::credit) == 10'000);
    CHECK(part(2, LineKind::energy) == 400);
    CHECK(counted.balance() ==
          part(0, LineKind::credit) + part(1, LineKind::credit) + part(2, LineKind::credit));
    for (const char* kind : {"energy", "levy", "tax"})
        CHECK(
            shop.value(std::string{"select sum(case when a.id = x.credit then amount else -amount end) from "
                                   "ledger_account a join (select debit, credit, amount from sale_line union "
                                   "all select debit, credit, amount from prepayment_line) x on a.id in "
                                   "(x.debit, x.credit) where a.kind = '"} +
                       kind + "'") == part(0, kind == std::string{"energy"} ? LineKind::energy
                                              : kind == std::string{"levy"} ? LineKind::levy
                                                                            : LineKind::tax) +
                                          part(2, kind == std::string{"energy"} ? LineKind::energy
                                                  : kind == std::string{"levy"} ? LineKind::levy
                                                                                : LineKind::tax));
    const auto taxes = reader.taxes(span);
    REQUIRE(taxes.size() == 1);
    CHECK(taxes[0].sales == 0);
    CHECK(taxes[0].charged_days == 2);
    CHECK(taxes[0].base == Money{2'050 + 410});
    CHECK(taxes[0].amount.minor == part(0, LineKind::tax) + part(2, LineKind::tax));
    const auto claims = reader.free_claims(span);
    REQUIRE(claims.size() == 1);
    CHECK_FALSE(claims[0].sale);
    CHECK(claims[0].units == Tenths{20});
    // A span that begins in the middle of the month knows what was used before.
    const auto later = reader.sales({.first = days[2].day, .last = days[2].day});
    REQUIRE(later.size() == 1);
    CHECK(later[0].units == Tenths{20});
    CHECK(later[0].free_units == Tenths{});
}

TEST_CASE("vending reports: every kind of anomaly is found, and what is in order is not", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    const SalesSpan span{.first = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1},
                         .last = std::chrono::sys_days{std::chrono::year{2026} / 3 / 31}};
    const auto found = [&] {
        std::map<std::string, int> counts;
        for (const auto& one : SalesReader{shop.vending}.anomalies(span)) ++counts[one.what];
        return counts;
    };
    const auto sell = [&](int meter, const std::string& key) {
        return Shop::sold(seller.sell(shop.vending, shop.order(meter, key, 3'000)));
    };
    for (int i = 0; i < SalesReader::bulk_sales; ++i) {
        sell(i % 3, "d" + std::to_string(i));  // from six in the morning on
        shop.clock.at = shop.clock.now() + std::chrono::minutes{2};
    }
    CHECK(found().empty());
    shop.clock.at = Instant{span.first + std::chrono::days{10}} +
                    std::chrono::minutes{19 * 60 + 30};  // one o'clock there
    for (int i = 0; i < SalesReader::bulk_sales - 1; ++i) {
        sell(i % 3, "n" + std::to_string(i));
        shop.clock.at = shop.clock.now() + std::chrono::minutes{2};
    }
    CHECK(found().empty());
    sell(0, "one more");
    CHECK(found() == std::map<std::string, int>{{"night_run", 1}});
    const auto at = std::to_string(shop.clock.now().time_since_epoch().count());
    shop.admin.execute("insert into vend_foreign_call values (99, " + at +
                           ", 'ghost', '600727000000000009', 1, 5000, " + at + ")",
                       "making a ghost");
    CHECK(found()["token_without_sale"] == 1);
    CHECK(found()["load_without_purchase"] == 0);
}

}  // namespace wattmesh::test
