#include <soci/soci.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "headend/database/vend_journal.h"
#include "headend/vending/reconcile.h"
#include "protocol/sts/amount.h"
#include "tests/db/shop.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using headend::vending::compare_with_module;

/// What the meter that holds the key reads from a token.
sts::Credit credit_in(Shop& shop, int meter, const std::string& digits) {
    const auto token = sts::parse_token(digits);
    REQUIRE(token);
    const auto looked = shop.module->inspect(*token, {Shop::pan(meter), {{201457}, 1}});
    const auto& opening = std::get<sts::Opening>(looked);
    REQUIRE(opening.refusal == sts::Refusal::none);
    return std::get<sts::Credit>(*opening.content);
}

struct Crash {};

/// The connection to the module breaks after its work, so many times.
class Losing final : public security::VendingModule {
public:
    Losing(security::VendingModule& inner, int times) : inner_(inner), left_(times) {}
    security::ModuleAnswer issue(const security::TokenRequest& request, Instant now) override {
        auto answer = inner_.issue(request, now);
        if (left_-- > 0) throw security::ModuleUnreachable("no answer within 5 s");
        return answer;
    }
    security::ModuleAnswer change_key(const security::KeyChangeRequest& request, Instant now) override {
        return inner_.change_key(request, now);
    }
    std::optional<security::Issued> resolve(const std::string& id) override { return inner_.resolve(id); }
    std::variant<sts::Opening, security::ModuleRefusal> inspect(const sts::Token& token,
                                                                const security::MeterKeyName& key) override {
        return inner_.inspect(token, key);
    }
    std::vector<security::VendingKeyState> keys() override { return inner_.keys(); }
    std::vector<security::ModuleCall> calls_after(std::uint64_t sequence, std::size_t count) override {
        return inner_.calls_after(sequence, count);
    }

private:
    security::VendingModule& inner_;
    int left_;
};

}  // namespace

TEST_CASE("vending: a sale brings a token that the meter takes, and its repetition the same octets", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    const auto reply = Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    CHECK(reply.status == 200);
    const auto digits = digits_in(reply.body);
    REQUIRE(digits.size() == 1);
    // 10.00 charge, 1.50 VAT; 88.50 left: 36.6 kWh at 2.00 = 73.20, levy 1.83, VAT 11.25 (11.2545), 2.22
    // rounding... by the engine
    const auto credit = credit_in(shop, 0, digits[0]);
    CHECK(sts::decode_units(credit.amount) ==
          static_cast<std::uint32_t>(shop.value("select tenths from sale where key = 'k1'")));
    CHECK(credit.tid == sts::tid_at(sts::BaseDate::y2014, shop.clock.now()));
    CHECK(Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000))).body == reply.body);
    auto other = shop.seller();  // another process
    CHECK(Shop::sold(other.sell(shop.vending, shop.order(0, "k1", 10'000))).body == reply.body);
    CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k1", 10'001))) == Reason::key_reused);
    CHECK(shop.calls() == 1);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 10'000);
    CHECK(shop.value("select month_tenths from customer_account where number = 'A0'") ==
          sts::decode_units(credit.amount));
    CHECK(shop.text("select response::text from sale where key = 'k1'").find(digits[0]) == std::string::npos);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: whoever dies between any two steps leaves a sale that ends with the same token", "[db]") {
    const auto at = static_cast<Step>(GENERATE(0, 1, 2, 3, 4));
    const bool by_client = GENERATE(true, false);
    CAPTURE(static_cast<int>(at), by_client);
    Shop shop;
    shop.admin.execute("update customer_account set free_tenths = 500", "granting free units");  // two tokens
    auto dying = shop.seller([&](Step step) {
        if (step == at) throw Crash{};
    });
    CHECK_THROWS_AS(dying.sell(shop.vending, shop.order(0, "k1", 10'000)), Crash);
    shop.open_module();  // it was in the same process
    auto seller = shop.seller();
    const auto open = Sales{shop.vending}.open(shop.clock.now() + 1h, 10);
    CHECK(open.size() == (at == Step::read || at == Step::completed ? 0 : 1));
    std::string resumed;
    if (!by_client)
        for (const auto id : open) resumed = Shop::sold(seller.resume(shop.vending, id)).body;
    const auto reply = Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    if (!resumed.empty()) CHECK(resumed == reply.body);
    CHECK(digits_in(reply.body).size() == 2);
    CHECK(shop.calls() == 2);
    CHECK(shop.value("select count(*) from sale where kind = 'sale'") == 1);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 10'000);
    CHECK(compare_with_module(shop.vending, *shop.module, shop.clock.now()).foreign.empty());
    CHECK(shop.books().empty());
    // the month's free units are given once
    shop.clock.at = shop.clock.now() + 1min;
    CHECK(digits_in(Shop::sold(seller.sell(shop.vending, shop.order(0, "k2", 10'000))).body).size() == 1);
}

TEST_CASE("vending: an answer of the module that was lost brings the token that it made", "[db]") {
    Shop shop;
    Losing losing{*shop.module, 2};
    Seller seller{{losing, shop.master, shop.clock}};
    CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k1", 10'000))) == Reason::module_away);
    CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k1", 10'000))) == Reason::module_away);
    shop.clock.at = shop.clock.now() + 10min;
    const auto reply = Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    CHECK(shop.calls() == 1);
    CHECK(credit_in(shop, 0, digits_in(reply.body).at(0)).tid ==
          sts::tid_at(sts::BaseDate::y2014, shop.clock.now() - 10min));
    CHECK(shop.books().empty());
}

TEST_CASE("vending: the database restarts in the middle of a sale", "[db]") {
    const auto at = static_cast<Step>(GENERATE(0, 1, 2, 3));
    CAPTURE(static_cast<int>(at));
    Shop shop;
    bool once = true;
    auto seller = shop.seller([&](Step step) {
        if (step == at && std::exchange(once, false))
            shop.admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'wm_vending'",
                "cutting off");
    });
    const auto sell = [&] { return seller.sell(shop.vending, shop.order(0, "k1", 10'000)); };
    std::optional<Reply> reply;
    for (int i = 0; i < 50 && !reply; ++i) try {
            reply = Shop::sold(sell());
        } catch (const DatabaseError& error) {
            CHECK(error.trouble() == Trouble::unavailable);
            std::this_thread::sleep_for(20ms);
        }
    REQUIRE(reply);
    CHECK(Shop::sold(sell()).body == reply->body);
    CHECK(shop.calls() == 1);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 10'000);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: tills that sell to one meter in the same minute", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    constexpr int each = 8;
    std::array<std::vector<Reply>, 3> replies;
    std::vector<std::thread> tills;
    const std::array<std::string, 3> names{"T1", "T2", "K1"};
    std::array<std::vector<Order>, 3> orders;
    for (std::size_t t = 0; t < 3; ++t)
        for (int i = 0; i < each; ++i)
            orders[t].push_back(shop.order(0, "k" + std::to_string(i / 2), 5'000, names[t]));
    for (std::size_t t = 0; t < 3; ++t)
        tills.emplace_back([&, t] {
            Connection connection{shop.database.settings("wm_vending")};
            for (const auto& order : orders[t]) {
                auto answer = seller.sell(connection, order);
                if (auto* reply = std::get_if<Reply>(&answer)) replies[t].push_back(std::move(*reply));
            }
        });
    for (auto& till : tills) till.join();
    std::set<std::string> digits;
    std::set<sts::Tid> tids;
    std::uint64_t units = 0;
    for (const auto& till : replies) {
        REQUIRE(till.size() == each);
        for (int i = 0; i < each; i += 2) {
            CHECK(till[static_cast<std::size_t>(i)].body == till[static_cast<std::size_t>(i + 1)].body);
            const auto token = digits_in(till[static_cast<std::size_t>(i)].body).at(0);
            digits.insert(token);
            const auto credit = credit_in(shop, 0, token);
            tids.insert(credit.tid);
            units += sts::decode_units(credit.amount);
        }
    }
    CHECK(digits.size() == 12);
    CHECK(tids.size() == 12);
    CHECK(shop.value("select month_tenths from customer_account where number = 'A0'") ==
          static_cast<long long>(units));
    CHECK(shop.value("select count(*) from sale_line where kind = 'charge'") == 1);
    // as if one till had sold it all: 50 kWh of the first step, and no more
    CHECK(shop.value("select sum(tenths) from sale_line where kind = 'energy' and price_mills = 200000") ==
          500);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: a vendor's credit is never overdrawn, whoever sells at the same time", "[db]") {
    Shop shop(6);
    shop.admin.execute("update vendor set credit = credit - 9975000 where name = 'Corner'", "leaving 250.00");
    auto seller = shop.seller();
    std::vector<Order> orders;
    for (int i = 0; i < 6; ++i)
        orders.push_back(shop.order(i, "k" + std::to_string(i), 10'000, i % 2 == 0 ? "T1" : "T2"));
    std::atomic<int> sold{0}, refused{0};
    std::vector<std::thread> tills;
    for (const auto& order : orders)
        tills.emplace_back([&] {
            Connection connection{shop.database.settings("wm_vending")};
            const auto answer = seller.sell(connection, order);
            const auto* no = std::get_if<Objection>(&answer);
            if (no == nullptr) ++sold;
            if (no != nullptr && no->reason == Reason::vendor_credit) ++refused;
        });
    for (auto& till : tills) till.join();
    CHECK(sold == 2);
    CHECK(refused == 4);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 5'000);
    CHECK(shop.calls() == 2);
    CHECK(shop.value("select count(*) from sale where kind = 'sale'") == 2);
    CHECK_THAT(
        shop.books(),
        Catch::Contains(
            "vendor Corner has credit 5000, the ledger says 9980000"));  // it finds what we took by hand
}

TEST_CASE("vending: what the module refuses is taken back as if it had never been", "[db]") {
    Shop shop;
    shop.load_key(201458, 1, 10);  // one kWh, and no more
    shop.admin.execute("update prepaid_meter set supply_group = 201458", "moving meters");
    shop.admin.execute(
        "insert into customer_debt (account, name, recovery, original, balance, ppm) select id, 'old', "
        "'percent', 5000, "
        "5000, 100000 from customer_account where number = 'A0'",
        "owing");
    auto seller = shop.seller();
    const auto before = shop.text(
        "select row_to_json(a)::text from (select month_tenths, free_month, charged_until from "
        "customer_account where number = 'A0') a");
    const auto reply = Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    CHECK(reply.status == 409);
    CHECK_THAT(reply.body, Catch::Contains("limit_reached"));
    CHECK(Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000))).body == reply.body);
    CHECK(shop.text("select row_to_json(a)::text from (select month_tenths, free_month, charged_until from "
                    "customer_account where "
                    "number = 'A0') a") == before);
    CHECK(shop.value("select balance from customer_debt") == 5'000);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000);
    CHECK(
        shop.value("select sum(amount) from sale_line where sale = (select id from sale where key = 'k1')") ==
        20'000);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: a reversal puts money, debts and blocks back; a copy shows the same digits", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    Sales sales{shop.vending};
    const auto sale = sales.find(shop.order(0, "k1", 1).terminal.id, "k1").value();
    CHECK(sales.copy(sale.id, shop.clock.now(), "anna") == 1);
    CHECK(sales.copy(sale.id, shop.clock.now(), "anna") == 2);
    CHECK(sales.confirm(sale.id, shop.clock.now(), "anna"));
    CHECK_FALSE(sales.confirm(sale.id, shop.clock.now(), "anna"));
    CHECK(sales.of_meter(*sale.meter, 3).size() == 1);
    CHECK(sales.reverse(sale.id, shop.clock.now(), "boss", "wrong meter"));
    CHECK_FALSE(sales.reverse(sale.id, shop.clock.now(), "boss", "again"));
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000);
    CHECK(shop.value("select month_tenths from customer_account where number = 'A0'") == 0);
    CHECK(shop.value("select count(distinct month) from customer_account where charged_until = " +
                     std::to_string(2026 * 12 + 1)) == 1);
    CHECK(shop.value("select count(*) from vend_journal where event in ('copy', 'confirmed', 'reversed')") ==
          4);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: after an old dump was put back no identifier is given out twice", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    compare_with_module(shop.vending, *shop.module, shop.clock.now());
    shop.vending.discard();
    const auto source = shop.text("select current_database()");
    shop.admin.discard();
    Connection postgres{shop.database.settings()};
    const auto old = source + "_old";
    {
        DatabaseSettings settings = shop.database.settings();
        settings.connection = Postgres::instance().connection("postgres");
        Connection{settings}.execute("create database " + old + " template " + source, "dumping");
    }
    const auto lost = Shop::sold(seller.sell(shop.vending, shop.order(0, "k2", 20'000)));
    const auto lost_tid = credit_in(shop, 0, digits_in(lost.body).at(0)).tid;

    DatabaseSettings restored_settings = shop.database.settings("wm_vending");
    restored_settings.connection = Postgres::instance().connection(old, "wm_vending");
    Connection restored{restored_settings};
    auto next = shop.seller();
    const auto compared = compare_with_module(restored, *shop.module, shop.clock.now());
    REQUIRE(compared.foreign.size() == 1);
    CHECK(compared.foreign[0].tid == lost_tid);
    CHECK(compare_with_module(restored, *shop.module, shop.clock.now()).calls == 0);
    // a till that repeats its sale of before gets the token of before
    CHECK(digits_in(Shop::sold(next.sell(restored, shop.order(0, "k2", 20'000))).body) ==
          digits_in(lost.body));
    CHECK(shop.calls() == 2);
    // another purchase in the same minute gets an identifier above the one that the dump does not know
    const auto other = Shop::sold(next.sell(restored, shop.order(0, "k3", 5'000)));
    CHECK(credit_in(shop, 0, digits_in(other.body).at(0)).tid > lost_tid);
    CHECK(shop.calls() == 3);
}

TEST_CASE("vending: a clock that was set back, and too many tokens, stop a sale before any money moves",
          "[db]") {
    Shop shop;
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(0, "k1", 10'000)));
    shop.clock.at = shop.clock.now() - 30min;
    const auto second = Shop::sold(seller.sell(shop.vending, shop.order(0, "k2", 10'000)));
    CHECK(credit_in(shop, 0, digits_in(second.body).at(0)).tid.value ==
          sts::tid_at(sts::BaseDate::y2014, shop.clock.now())->value + 31);
    shop.clock.at = shop.clock.now() - 2h;
    CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k3", 10'000))) == Reason::too_many_tokens);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 20'000);
    CHECK(shop.books().empty());
}

TEST_CASE("vending: refuses what it must before anything is stored", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    const auto refused = [&](const Order& order) { return Shop::refused(seller.sell(shop.vending, order)); };
    CHECK(refused(shop.order(77, "k", 10'000)) == Reason::unknown_meter);
    CHECK(refused(shop.order(0, "k", 10)) == Reason::tender);
    shop.admin.execute("update prepaid_meter set blocked_why = 'tampered' where pan = '" +
                           std::string{Shop::pan(1).digits()} + "'",
                       "blocking");
    CHECK(refused(shop.order(1, "k", 10'000)) == Reason::blocked_meter);
    shop.admin.execute(
        "update prepaid_meter set key_revision = 2 where pan = '" + std::string{Shop::pan(2).digits()} + "'",
        "changing");
    CHECK(refused(shop.order(2, "k", 10'000)) == Reason::no_key);
    shop.admin.execute(
        "update prepaid_meter set account = null where pan = '" + std::string{Shop::pan(0).digits()} + "'",
        "moving out");
    CHECK(refused(shop.order(0, "k", 10'000)) == Reason::no_account);
    shop.admin.execute("update vendor set disabled = true", "closing");
    CHECK(refused(shop.order(0, "k", 10'000)) == Reason::terminal_disabled);
    CHECK(shop.value("select count(*) from sale where kind = 'sale'") == 0);
    CHECK(shop.calls() == 0);
}

TEST_CASE("vending: debts are paid, units are given, keys are changed and commands made in the same way",
          "[db]") {
    Shop shop;
    shop.load_key(201458, 1);
    shop.admin.execute(
        "insert into customer_debt (account, name, recovery, original, balance, held) select id, 'old', "
        "'full', 5000, "
        "5000, false from customer_account where number = 'A0'",
        "owing");
    auto seller = shop.seller();
    auto order = shop.order(0, "pay", 3'000);
    order.kind = SaleKind::payment;
    CHECK_THAT(Shop::sold(seller.sell(shop.vending, order)).body, Catch::Contains("\"balance\":2000"));
    order.key = "pay too much";
    CHECK(Shop::refused(seller.sell(shop.vending, order)) == Reason::tender);
    order = shop.order(0, "gift", 0);
    order.kind = SaleKind::free;
    order.units = {123};
    order.reason = "meter was changed";
    const auto gift = Shop::sold(seller.sell(shop.vending, order));
    CHECK(sts::decode_units(credit_in(shop, 0, digits_in(gift.body).at(0)).amount) == 123);
    order = shop.order(0, "tamper", 0);
    order.kind = SaleKind::engineering;
    order.command = sts::Management{.command = sts::Command::clear_tamper, .tid = {}};
    const auto cleared = digits_in(Shop::sold(seller.sell(shop.vending, order)).body);
    REQUIRE(cleared.size() == 1);
    const auto looked = shop.module->inspect(*sts::parse_token(cleared[0]), {Shop::pan(0), {{201457}, 1}});
    CHECK(std::get<sts::Management>(*std::get<sts::Opening>(looked).content).command ==
          sts::Command::clear_tamper);
    order = shop.order(0, "key", 0);
    order.kind = SaleKind::key_change;
    order.target = headend::vending::KeyTarget{{{201458}, 1}, 2};
    CHECK(digits_in(Shop::sold(seller.sell(shop.vending, order)).body).size() == 4);
    CHECK(shop.value("select supply_group * 100 + tariff_index from prepaid_meter where id = 1") ==
          20'145'802);
    CHECK(shop.value("select count(*) from vend_token") == 4 - 1);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 3'000);
    CHECK(shop.books().empty());
}

}  // namespace wattmesh::test
