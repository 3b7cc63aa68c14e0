#include <soci/soci.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "headend/database/read_sales.h"
#include "tests/db/counted.h"

namespace wattmesh::test {
namespace {

using pricing::Share;

std::string content_of(const char* file) {
    std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    REQUIRE(text.str().size() > 1'000);
    return text.str();
}

/// Two more versions of the tariff in the middle of the time, and a second tariff with everything in it.
void more_tariffs(Shop& shop, TariffId second) {
    Tariffs tariffs{shop.admin};
    auto next = shop_tariff();
    next.name = "Home dear";
    next.steps = {{Tenths{300}, {212'345}}, {Tenths{900}, {333'333}}, {std::nullopt, {401'007}}};
    next.taxes.push_back({"radio", {33'300}, false, false});
    tariffs.add_version(shop.tariff, shop.clock.now() + std::chrono::hours{24 * 20}, next);
    next.name = "Home free";
    next.charge_per_month = {};
    next.levies.push_back({"road", {}, {12'345}});
    tariffs.add_version(shop.tariff, shop.clock.now() + std::chrono::hours{24 * 45}, next);
    next.name = "Shop";
    next.charge_per_month = {777};
    next.charge_months_max = 3;
    next.debts_before_charges = true;
    next.free_units_count = false;
    tariffs.add_version(second, Instant{}, next);
}

void debts(Shop& shop, int accounts) {
    Customers customers{shop.admin};
    const pricing::Month month{2026 * 12 + 2};
    const auto add = [&](int account, const char* name, pricing::Recovery how, std::int64_t original, int ppm,
                         std::int64_t floor, std::int64_t cap, std::int64_t instalment, int priority) {
        pricing::Debt debt{.id = {},
                           .name = name,
                           .recovery = how,
                           .original = {original},
                           .balance = {original},
                           .share = {ppm},
                           .floor = {floor},
                           .cap = {cap},
                           .instalment = {instalment},
                           .first_month = month,
                           .last_month = {}};
        const auto id = customers.find(TenantId{1}, "A" + std::to_string(account));
        REQUIRE(customers.put_debt(*id, {debt, priority, false}));
    };
    for (int i = 0; i < accounts; i += 2) {
        add(i, "arrears", pricing::Recovery::percent, 500'000, 123'456, 100, 5'000, 0, 1);
        if (i % 4 == 0) add(i, "meter", pricing::Recovery::instalment, 9'000, 0, 0, 1'000'000, 1'500, 0);
        if (i % 6 == 0) add(i, "visit", pricing::Recovery::first_of_month, 2'500, 0, 0, 1'000'000, 700, 2);
    }
    add(1, "fine", pricing::Recovery::full, 4'321, 0, 0, 1'000'000, 0, 0);
}

/// The reports say what the recomputation says, by day, tariff and vendor, by tax, and of every debt.
void reports_agree(Shop& shop) {
    SalesReader reader{shop.vending};
    const SalesSpan span{.first = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1},
                         .last = std::chrono::sys_days{std::chrono::year{2026} / 12 / 31}};
    std::string rows;
    std::int64_t free_units = 0;
    for (const auto& day : reader.sales(span)) {
        free_units += day.free_units.count;
        for (std::size_t kind = 0; kind < day.by_kind.size(); ++kind)
            rows += (rows.empty() ? "('" : ",('") +
                    std::string{to_string(static_cast<pricing::LineKind>(kind))} + "','" + day.tariff +
                    "','" + day.vendor + "'," + std::to_string(day.day.time_since_epoch().count()) + "," +
                    std::to_string(day.by_kind[kind].minor) + "," +
                    std::to_string(
                        kind == static_cast<std::size_t>(pricing::LineKind::energy) ? day.units.count : 0) +
                    ")";
    }
    CHECK(shop.value(
              "select count(*) from (select r.kind, r.tariff, r.vendor, r.day from (values " + rows +
              ") r (kind, tariff, vendor, day, amount, tenths) full join (select e.kind, t.name as "
              "tariff, coalesce(v.name, '') as vendor, e.day - date '1970-01-01' as day, sum(e.amount) as "
              "amount, "
              "sum(e.tenths) as tenths from expected e join tariff_version t on t.id = e.version left join "
              "vendor v on v.id = e.vendor group by 1, 2, 3, 4) x on (x.kind, x.tariff, x.vendor, "
              "x.day) = (r.kind, r.tariff, r.vendor, r.day) where coalesce(r.amount, 0) <> "
              "coalesce(x.amount, 0) or coalesce(r.tenths, 0) <> coalesce(x.tenths, 0)) d") == 0);
    std::int64_t taxes = 0, paid = 0;
    for (const auto& tax : reader.taxes(span)) {
        CHECK(tax.amount.minor > 0);
        taxes += tax.amount.minor;
    }
    CHECK(taxes == shop.value("select sum(amount) from expected where kind = 'tax'"));
    for (const auto& debt : reader.debts(span)) {
        CHECK(debt.balance == debt.original - debt.paid);
        paid += debt.paid.minor;
    }
    CHECK(paid == shop.value("select sum(amount) from expected where kind = 'debt'"));
    std::int64_t claimed = 0;
    for (const auto& claim : reader.free_claims(span)) claimed += claim.units.count;
    CHECK(claimed == free_units);
    CHECK(claimed ==
          shop.value("select (select sum(free_tenths) from sale) + (select sum(least(free, after) - "
                     "least(free, before)) from counted_day)"));
    CHECK(shop.value("select sum(least(free, after) - least(free, before)) from counted_day") > 0);
}

/// Accounts that the server counts: one with free units, one of the second tariff, one with debts. What they
/// use comes in, and is charged, four times a day.
class Households {
public:
    explicit Households(Shop& shop) : counted_(shop), used_to_(shop.clock.now()) {
        Customers customers{shop.admin};
        Meters registry{shop.admin};
        for (const int meter : meters_) {
            registry.put({.number = Counted::device(meter),
                          .model = "WM-SIM-3",
                          .concentrator = {},
                          .installed = shop.clock.now()});
            REQUIRE(customers.set_device(customers.meter(Shop::pan(meter))->id, Counted::device(meter)));
            counted_.enrol(meter);
        }
    }
    template <class Below>
    void go_on(const Below& below, bool now = false) {
        const auto at = std::chrono::floor<std::chrono::minutes>(counted_.shop.clock.now());
        const auto to = Instant{at - at.time_since_epoch() % std::chrono::minutes{15}};
        if (!now && to - used_to_ < std::chrono::hours{6}) return;
        for (const int meter : meters_) {
            counted_.use(used_to_, to, below(900), meter);
            REQUIRE(counted_.charge(meter));
        }
        used_to_ = to;
    }

private:
    static constexpr std::array meters_{2, 4, 7};
    Counted counted_;
    Instant used_to_;
};

}  // namespace

/// WATTMESH_SALES: how many (2000); WATTMESH_SEED: which.
TEST_CASE("sums: random sales agree, by tariff, tax, vendor and day, with a recomputation in SQL",
          "[db][sums]") {
    const char* count_word = std::getenv("WATTMESH_SALES");  // NOLINT(concurrency-mt-unsafe): one thread
    const char* seed_word = std::getenv("WATTMESH_SEED");    // NOLINT(concurrency-mt-unsafe): one thread
    const int wanted = count_word == nullptr ? 2'000 : std::stoi(count_word);
    const auto seed = seed_word == nullptr ? 20261123ULL : std::stoull(seed_word);
    constexpr int accounts = 24;
    INFO("seed " << seed);
    Shop shop{accounts};
    const auto second = Tariffs{shop.admin}.put(TenantId{1}, "shop");
    more_tariffs(shop, second);
    shop.admin.execute(
        "update customer_account set tariff = " + std::to_string(second.value) +
            " where id % 3 = 0; update customer_account set free_tenths = 250 where id % 5 = 0; "
            "update vendor set fee_fixed = 37, fee_ppm = 12345 where name = 'Kiosk'; "
            "set synchronous_commit = off; set statement_timeout = 0",
        "making the shop diverse");
    for (const auto* vendor : {"Corner", "Kiosk"}) shop.deposit(vendor, 2'000'000LL * wanted);
    debts(shop, accounts);
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t end) { return static_cast<std::int64_t>(random() % end); };
    auto seller = shop.seller();
    Households households{shop};
    int sold = 0, refused = 0;
    const std::int64_t span_s = 100LL * 86'400 * 2 / wanted;  // a hundred days
    while (sold < wanted) {
        shop.clock.at =
            shop.clock.now() + std::chrono::seconds{below(static_cast<std::uint64_t>(span_s) + 1)};
        households.go_on(below);
        const auto key = "r" + std::to_string(sold + refused);
        const auto tender = below(4) == 0 ? 100 + below(2'000) : 1'000 + below(60'000);
        const char* const tills[] = {"T1", "T2", "K1"};
        const auto answer = seller.sell(
            shop.vending, shop.order(static_cast<int>(below(accounts)), key, tender, tills[below(3)]));
        if (std::holds_alternative<Reply>(answer)) {
            ++sold;
            continue;
        }
        const auto reason = std::get<Objection>(answer).reason;
        REQUIRE((reason == Reason::tender || reason == Reason::too_many_tokens));
        ++refused;
    }
    households.go_on(below, true);
    CHECK(refused > 0);
    CHECK(shop.value("select count(distinct day) from sale where kind = 'sale'") > 30);
    CHECK(shop.value("select count(distinct tariff_version) from sale where kind = 'sale'") == 4);
    shop.admin.execute(content_of("tests/db/recompute_sales.sql"), "making the recomputation");
    shop.admin.execute("select pg_temp.recompute(), pg_temp.recompute_charges()", "recomputing");
    CHECK(shop.value("select count(*) from prepayment_charge") > 200);
    CHECK(shop.value("select count(distinct version) from counted_day") == 4);
    CHECK(shop.value("select sum(amount) from expected") ==
          shop.value("select sum(tender) from sale where kind = 'sale'"));
    for (const char* kind : {"fee", "charge", "debt", "energy", "levy", "tax", "rounding"})
        CHECK(shop.value(std::string{"select sum(amount) from expected where kind = '"} + kind + "'") > 0);
    CHECK(shop.text("select coalesce(string_agg(what, '; '), '') from (select what from "
                    "pg_temp.books_differ() limit 20) d") == "");
    CHECK(shop.books().empty());
    reports_agree(shop);
}

/// A recomputation that could not find anything would prove nothing.
TEST_CASE("sums: the recomputation finds a cent that somebody moved", "[db][sums]") {
    Shop shop;
    auto seller = shop.seller();
    for (int i = 0; i < 3; ++i)
        Shop::sold(seller.sell(shop.vending, shop.order(i, "k" + std::to_string(i), 10'000)));
    shop.admin.execute(content_of("tests/db/recompute_sales.sql"), "making the recomputation");
    shop.admin.execute("select pg_temp.recompute()", "recomputing");
    const auto found = [&] { return shop.value("select count(*) from pg_temp.books_differ()"); };
    CHECK(found() == 0);
    shop.admin.execute(
        "update sale_line set amount = amount + 1 where sale = (select max(sale) from sale_line) and kind = "
        "'tax'",
        "moving a cent");
    CHECK(found() >= 4);  // tariff, tax, vendor and day
}

TEST_CASE("sums: the recomputation finds a cent that was moved in a charge", "[db][sums]") {
    Counted counted;
    counted.enrol();
    counted.pay(10'000);
    const auto from = counted.shop.clock.now();
    counted.pass(std::chrono::hours{2});
    counted.use(from, counted.shop.clock.now(), 1'000);
    REQUIRE(counted.charge());
    auto& admin = counted.shop.admin;
    admin.execute(content_of("tests/db/recompute_sales.sql"), "making the recomputation");
    admin.execute("select pg_temp.recompute(), pg_temp.recompute_charges()", "recomputing");
    const auto found = [&] { return counted.shop.value("select count(*) from pg_temp.books_differ()"); };
    CHECK(found() == 0);
    admin.execute("update prepayment_line set amount = amount + 1 where kind = 'tax'", "moving a cent");
    CHECK(found() >= 4);
}

}  // namespace wattmesh::test
