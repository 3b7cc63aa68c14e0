#include <catch2/catch.hpp>

#include "headend/database/adjustments.h"
#include "headend/database/read_sales.h"
#include "headend/vending/books_file.h"
#include "tests/db/counted.h"
#include "tests/db/counter.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using headend::vending::BooksError;
using headend::vending::withdraw;

/// A debt that no sale collects.
void owe(Shop& shop, const char* name, std::int64_t amount, int priority = 0, bool held = false) {
    const pricing::Debt debt{.id = {},
                             .name = name,
                             .recovery = pricing::Recovery::instalment,
                             .original = {amount},
                             .balance = {amount},
                             .share = {},
                             .floor = {},
                             .cap = {1'000'000},
                             .instalment = {1},
                             .first_month = {2030 * 12},
                             .last_month = {}};
    const auto account = Customers{shop.admin}.find(TenantId{1}, "A0");
    REQUIRE(Customers{shop.admin}.put_debt(*account, {debt, priority, held}));
}

const SalesSpan year{.first = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1},
                     .last = std::chrono::sys_days{std::chrono::year{2026} / 12 / 31}};

struct Office {
    Office() { counter.service->set_ready(); }
    Counter counter;
    std::string other = counter.user("sam", Role::supervisor);
    Answered order(const char* what, const std::string& body, const std::string& key,
                   const std::string& token = "") {
        return counter.ask("POST", std::string{"/api/vend/"} + what, body,
                           token.empty() ? counter.supervisor : token, key);
    }
    Answered decide(std::int64_t id, const char* verb, const std::string& token) {
        return counter.ask("POST", "/api/vend/adjustments/" + std::to_string(id) + "/" + verb,
                           R"({"reason":"seen the file"})", token);
    }
    long long value(const std::string& query) { return counter.shop.value(query); }
    long long newest() { return value("select max(id) from vend_adjustment"); }
};

}  // namespace

TEST_CASE("write-off: a debt is written off once, double entry, with journal, audit and report", "[db]") {
    Office office;
    auto& shop = office.counter.shop;
    owe(shop, "arrears", 20'000);
    const std::string some = R"({"account":"A0","debt":"arrears","amount":5000,"reason":"too old"})";
    CHECK(office.order("write-offs", some, "a", office.counter.operator_).status == 403);
    CHECK(office.order("write-offs", some, "").status == 400);
    CHECK(office.order("write-offs", R"({"account":"A9","debt":"arrears","reason":"x"})", "b").status == 404);
    CHECK(office.order("write-offs", R"({"account":"A0","debt":"fine","reason":"x"})", "b").status == 404);
    const auto first = office.order("write-offs", some, "a");
    CHECK(first.status == 200);
    CHECK(first.has(R"("state":"posted")"));
    const auto again = office.order("write-offs", some, "a");
    CHECK(again.body == first.body);
    CHECK(
        office.order("write-offs", R"({"account":"A0","debt":"arrears","amount":1,"reason":"too old"})", "a")
            .status == 422);
    CHECK(office.value("select balance from customer_debt") == 15'000);
    CHECK(office.value("select count(*) from sale where kind = 'write_off'") == 1);
    CHECK(office.value("select sum(l.amount) from sale_line l join ledger_account d on d.id = l.debit join "
                       "ledger_account c on c.id = l.credit where d.kind = 'loss' and c.kind = 'debt'") ==
          5'000);
    CHECK(office.value("select count(*) from vend_journal j join sale s on s.id = j.sale where s.kind = "
                       "'write_off'") == 1);
    CHECK(office.value("select count(*) from audit where action = 'vend write-off' and actor like 'sue%' and "
                       "reason = 'too old'") == 1);
    CHECK(office.order("write-offs", R"({"account":"A0","debt":"arrears","amount":15001,"reason":"x"})", "c")
              .has("too_much"));
    const auto debts = SalesReader{shop.vending}.debts(year);
    REQUIRE(debts.size() == 1);
    CHECK(debts[0].paid == Money{});
    CHECK(debts[0].written_off == Money{5'000});
    CHECK(debts[0].balance == Money{15'000});
    CHECK(shop.books().empty());
    // Taken back, it is owed again.
    const auto sale = std::to_string(office.value("select max(id) from sale"));
    CHECK(office.counter.post("/api/vend/sales/" + sale + "/reverse", R"({"reason":"x"})").status == 404);
    CHECK(office.order(("sales/" + sale + "/reverse").c_str(), R"({"reason":"he paid"})", "").status == 204);
    CHECK(office.value("select balance from customer_debt") == 20'000);
    CHECK(office.counter.ask("GET", "/api/vend/accounts?number=A0", "", office.counter.supervisor)
              .has(R"("state":"reversed")"));
    CHECK(shop.books().empty());
}

TEST_CASE("write-off: above the limit another person agrees, and no program of the same one", "[db]") {
    Office office;
    auto& shop = office.counter.shop;
    owe(shop, "arrears", 20'000);
    const std::string all = R"({"account":"A0","debt":"arrears","reason":"he died"})";
    const auto waiting = office.order("write-offs", all, "a");
    CHECK(waiting.status == 202);
    CHECK(waiting.has(R"("amount":20000)"));
    CHECK(office.value("select balance from customer_debt") == 20'000);
    CHECK(office.order("write-offs", all, "b").has("waiting_already"));
    CHECK(office.decide(office.newest(), "approve", office.counter.supervisor).status == 403);
    shop.admin.execute("update api_token set name = name || ' (token x)'", "another program of hers");
    CHECK(office.decide(office.newest(), "approve", office.counter.supervisor).status == 403);
    CHECK(office.decide(office.newest(), "refuse", office.other).has(R"("state":"refused")"));
    CHECK(office.decide(office.newest(), "approve", office.other).has("decided"));
    CHECK(office.order("write-offs", all, "c").status == 202);
    // Somebody pays of it meanwhile: then what was ordered is more than what is owed.
    REQUIRE(office.counter
                .post("/api/vend/payments",
                      R"({"terminal":"T1","meter":")" + office.counter.meter(0) + R"(","tender":500})", "p")
                .status == 200);
    CHECK(office.decide(office.newest(), "approve", office.other).has("too_much"));
    CHECK(office.decide(office.newest(), "refuse", office.counter.supervisor).status == 200);
    CHECK(office.order("write-offs", all, "d").has(R"("amount":19500)"));
    CHECK(office.decide(office.newest(), "approve", office.other).has(R"("state":"posted")"));
    CHECK(office.value("select balance from customer_debt") == 0);
    CHECK(office.value("select count(*) from audit where action = 'vend write-off approved' and actor like "
                       "'sam%'") == 1);
    CHECK(shop.books().empty());
}

TEST_CASE("pay-out: a closed account pays its debts and gives the rest back, when all is charged", "[db]") {
    Office office;
    Counted counted{office.counter.shop};
    auto& shop = counted.shop;
    Meters{shop.admin}.put({.number = Counted::device(0),
                            .model = "WM-SIM-3",
                            .concentrator = {},
                            .installed = shop.clock.now()});
    REQUIRE(
        Customers{shop.admin}.set_device(Customers{shop.admin}.meter(Shop::pan(0))->id, Counted::device(0)));
    shop.admin.execute("update tariff_version set charge_per_month = 0", "making months free");
    const auto pay_out = [&](const char* reference, const char* key) {
        return office.order(
            "pay-outs",
            std::string{R"({"account":"A0","reason":"moved out","reference":")"} + reference + "\"}", key);
    };
    CHECK(pay_out("B1", "a").has("never_counted"));
    counted.enrol();
    counted.pay(10'000);
    owe(shop, "arrears", 2'000, 1);
    owe(shop, "disputed", 3'000, 0, true);
    const auto from = shop.clock.now();
    counted.pass(2h);
    counted.use(from, shop.clock.now() - 15min, 1'000);
    REQUIRE(counted.charge());
    CHECK(pay_out("B1", "b").has("still_counted"));
    Transaction transaction{counted.console};
    REQUIRE(counted.book().leave(Counted::device(0), shop.clock.now(), "ada", "moved out"));
    transaction.commit();
    CHECK(pay_out("B1", "c").has("not_read"));
    counted.use(shop.clock.now() - 15min, shop.clock.now(), 1'000);
    REQUIRE(counted.charge());
    CHECK(counted.balance() == 10'000 - 1'886);
    const auto paid = pay_out("B1", "d");
    CHECK(paid.status == 200);
    CHECK(paid.has(R"("amount":8114)"));
    CHECK(counted.balance() == 0);
    CHECK(office.value("select sum(balance) from customer_debt") == 3'000);  // what is disputed stays
    CHECK(office.value("select sum(l.amount) from sale_line l join ledger_account c on c.id = l.credit where "
                       "c.kind = 'bank'") == 6'114);
    CHECK(shop.books().empty());
    CHECK(pay_out("B2", "e").has("nothing_left"));
    Money into, paid_in;
    for (const auto& day : SalesReader{shop.vending}.sales(year)) {
        Money sum;
        for (const auto& part : day.by_kind) sum += part;
        CHECK(sum == day.tender);
        into += day.by_kind[static_cast<std::size_t>(pricing::LineKind::credit)];
        paid_in += day.tender;
    }
    CHECK(into == Money{});
    CHECK(paid_in == Money{10'000 - 6'114});
    // The bank sends it back.
    const auto sale = std::to_string(office.value("select max(id) from sale"));
    CHECK(
        office.order(("sales/" + sale + "/reverse").c_str(), R"({"reason":"no such account"})", "").status ==
        204);
    CHECK(counted.balance() == 8'114);
    CHECK(office.value("select sum(balance) from customer_debt") == 5'000);
    CHECK(shop.books().empty());
    CHECK(pay_out("B1", "f").has("reference_used"));
    CHECK(pay_out("B3", "g").status == 200);
    CHECK(shop.books().empty());
}

TEST_CASE("withdrawal: a vendor gets his own credit back, and none that he is lent", "[db]") {
    Shop shop;
    const auto credit = [&] { return shop.value("select credit from vendor where name = 'Corner'"); };
    shop.admin.execute("update vendor set credit_floor = -5000", "lending");
    const auto before = credit();
    const auto move = [&](std::int64_t amount, const char* reference) {
        Transaction transaction{shop.admin};
        withdraw(shop.admin, "Corner", {{amount}, reference, "boss", "gives up", shop.clock.now()});
        transaction.commit();
    };
    move(1'000, "W1");
    CHECK(credit() == before - 1'000);
    CHECK_THROWS_AS(move(1'000, "W1"), BooksError);
    CHECK_THROWS_AS(move(before, "W2"), BooksError);
    CHECK_THROWS_AS(move(before + 10'000, "W2"), BooksError);
    CHECK(credit() == before - 1'000);
    move(before - 1'000, "W2");
    CHECK(credit() == 0);
    CHECK(shop.books().empty());
}

}  // namespace wattmesh::test
