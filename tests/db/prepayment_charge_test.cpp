#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <thread>

#include "tests/db/counted.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

struct Death {};

/// What the account should have been charged, worked out again from readings, findings, corrections and
/// tariff alone; one version and one month at a time, in SQL of its own.
constexpr const char* recomputed = R"(
with believed as (
    select date_trunc('month', at_time(r.at_us - 1) at time zone t.time_zone) as month,
           coalesce((select v.value from interval_version v where v.meter = r.meter and v.at_us = r.at_us
                     order by v.version desc limit 1), r.v1) as wh,
           coalesce((select not v.estimated from interval_version v where v.meter = r.meter and v.at_us = r.at_us
                     order by v.version desc limit 1),
                    r.v1 >= 0 and r.v1 <= 10000 and r.quality % 2 = 0 and not exists (
                        select from validation_finding f where f.meter = r.meter and f.verdict = 'fail'
                        and f.first_us <= r.at_us and f.last_us >= r.at_us)) as counts
    from interval_row r join meter m on m.id = r.meter join tenant t on t.id = m.tenant
    join prepayment_enrolment e on e.meter = r.meter
    where r.bank = 1 and r.at_us > e.from_us),
months as (select month, floor(sum(wh) / 100) as tenths from believed where counts group by month),
energy as (
    select month, tenths, floor((least(tenths, 500) * 200000 + greatest(tenths - 500, 0) * 350000) / 10000 + 0.5) as e,
           floor(tenths * 5000 / 10000 + 0.5) as l from months)
select coalesce(sum(e + l + floor((e + l) * 0.15 + 0.5)), 0)::bigint from energy)";

sys_days march(unsigned day) { return std::chrono::year{2026} / 3 / day; }

long long charges(Counted& counted) { return counted.shop.value("select count(*) from prepayment_charge"); }

}  // namespace

TEST_CASE("prepayment: what valid intervals cost is charged once, and the ledger agrees", "[db]") {
    Counted counted;
    counted.enrol();
    counted.pay(10'000);
    CHECK(counted.balance() == 10'000);
    const auto from = counted.shop.clock.now();
    counted.use(from - 2h, from, 1'000);  // before it was enrolled
    counted.pass(2h);
    counted.use(from, from + 2h, 1'000);  // 8 kWh at 2.00, 0.05 levy, 15 %: 18.86
    REQUIRE(counted.charge());
    CHECK(counted.balance() == 10'000 - 1'886);
    CHECK(counted.shop.value(recomputed) == 1'886);
    const auto before = charges(counted);
    for (int i = 0; i < 3; ++i) CHECK(counted.charge());
    CHECK(charges(counted) == before);
    CHECK(counted.balance() == 10'000 - 1'886);
    CHECK(counted.shop.value("select sum(case when credit = p.ledger then amount else -amount end) from "
                             "prepayment p, (select debit, credit, amount from sale_line union all select "
                             "debit, credit, amount from prepayment_line) l where p.ledger in (debit, "
                             "credit)") == counted.balance());
    CHECK(counted.shop.books().empty());
    // A book that does not agree is found.
    counted.shop.admin.execute("update prepayment set balance = balance + 1", "cooking the books");
    CHECK(counted.shop.books().find("has a balance of") != std::string::npos);
}

TEST_CASE("prepayment: what is not believed is not charged, and is given back when it was", "[db]") {
    Counted counted;
    counted.enrol();
    const auto from = counted.shop.clock.now();
    counted.pass(1h);
    counted.reading(from + 15min, 1'000);
    counted.reading(from + 30min, 1'000, 0, 1);        // the clock was doubtful
    counted.reading(from + 45min, 1'000, 0, 2, 0x04);  // the meter says that its data are not valid
    counted.reading(from + 60min, 90'000);             // more than the fuse lets through
    REQUIRE(counted.charge());
    CHECK(counted.balance() == -236);  // 1 kWh
    CHECK(counted.shop.value("select doubtful from prepayment_day") == 3);
    counted.shop.admin.execute("insert into validation_finding select id, 1, 0, 'frozen', " +
                                   std::to_string(epoch_us(from + 15min)) + ", " +
                                   std::to_string(epoch_us(from + 15min)) +
                                   ", 'fail', '', 0, 0, 0, tenant, area from meter",
                               "finding");
    REQUIRE(counted.charge());
    CHECK(counted.balance() == 0);
    Transaction transaction{counted.console};
    CHECK(counted.book().correct(
              Counted::device(0),
              {.at = from + 15min, .made = from + 1h, .wh = 500, .by = "ada", .reason = "seen on site"}) ==
          1);
    CHECK(counted.book().correct(Counted::device(0), {.at = from + 30min,
                                                      .made = from + 1h,
                                                      .wh = 700,
                                                      .estimated = true,
                                                      .by = "ada",
                                                      .reason = "as the day before"}) == 1);
    CHECK_FALSE(counted.book().correct(
        Counted::device(0),
        {.at = from + 10min, .made = from, .wh = 1, .estimated = false, .by = "ada", .reason = "x"}));
    transaction.commit();
    REQUIRE(counted.charge());
    CHECK(counted.balance() == -118);  // half a kWh; what is estimated is not charged
    CHECK(counted.shop.value("select count(*) from prepayment_charge") == 3);
    CHECK(counted.shop.value("select sum(wh - wh_before) from prepayment_charge") == 500);
    CHECK(counted.shop.books().empty());
}

TEST_CASE(
    "prepayment: whatever order readings, repetitions, findings and corrections come in, the same is charged",
    "[db]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 chance{seed};
    const auto below = [&](int bound) { return static_cast<int>(chance() % static_cast<unsigned>(bound)); };
    Counted counted;
    // Indian time: months begin at 18:30.
    counted.shop.clock.at = Instant{march(29)} + 3h;
    counted.enrol();
    counted.pay(50'000);
    const auto from = counted.shop.clock.now();
    constexpr int intervals = 4 * 24 * 4;  // over the end of the month
    std::vector<int> order;
    for (int i = 1; i <= intervals; ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), chance);
    counted.pass(4 * 24h);
    for (const int i : order) {
        const auto at = from + i * 15min;
        const std::int64_t wh = below(20) == 0 ? 30'000 : below(900);
        if (below(30) == 0) counted.reading(at, std::nullopt);  // its channel comes later
        counted.reading(at, wh, 0, below(15) == 0 ? 1 : 0);
        if (below(10) == 0) counted.reading(at, wh + 5);  // repeated, with another value: what is there stays
        if (below(25) == 0)
            counted.book().correct(Counted::device(0), {.at = at,
                                                        .made = at,
                                                        .wh = below(2'000),
                                                        .estimated = below(3) == 0,
                                                        .by = "ada",
                                                        .reason = "random"});
        if (below(60) == 0)
            counted.shop.admin.execute("insert into validation_finding select id, 1, 0, 'spike', " +
                                           std::to_string(epoch_us(at)) + ", " +
                                           std::to_string(epoch_us(at + 45min)) +
                                           ", 'fail', '', 0, 0, 0, tenant, area from meter",
                                       "finding");
        if (below(80) == 0) counted.shop.admin.execute("delete from validation_finding", "judging again");
        if (below(12) == 0) CHECK(counted.charge());
    }
    // Everything is looked at once a day.
    counted.shop.admin.execute("update prepayment set swept_day = null", "the next day");
    REQUIRE(counted.charge());
    const auto expected = counted.shop.value(recomputed);
    CHECK(expected > 0);
    CHECK(counted.balance() == 50'000 - expected);
    CHECK(counted.shop.value("select sum(amount) from prepayment_day") == expected);
    CHECK(counted.shop.value("select count(distinct date_trunc('month', day)) from prepayment_day") == 2);
    const auto before = charges(counted);
    REQUIRE(counted.charge());
    CHECK(charges(counted) == before);
    CHECK(counted.shop.books().empty());
}

TEST_CASE("prepayment: who dies between any two steps of charging leaves an account that is charged once",
          "[db]") {
    Counted counted;
    counted.enrol();
    const auto from = counted.shop.clock.now();
    int quarters = 0;
    for (const auto step :
         {PrepaymentStep::held, PrepaymentStep::read, PrepaymentStep::posted, PrepaymentStep::charged}) {
        counted.reading(from + ++quarters * 15min, 1'000);
        counted.pass(15min);
        CHECK_THROWS_AS(charge_account(counted.monitor, counted.account(), counted.shop.clock.now(),
                                       [&](PrepaymentStep at) {
                                           if (at == step) throw Death{};
                                       }),
                        Death);
        CHECK(counted.charge());
        CHECK(counted.balance() == -counted.shop.value(recomputed));
        CHECK(counted.shop.books().empty());
    }
    CHECK(counted.shop.value("select wh from prepayment_day") == 4'000);
}

TEST_CASE("prepayment: two processes that charge and a till that is paid at once lose nothing", "[db]") {
    Counted counted;
    counted.enrol();
    const auto from = counted.shop.clock.now();
    counted.use(from, from + 6h, 500);
    counted.pass(6h);
    const auto id = counted.account();
    const auto now = counted.shop.clock.now();
    std::vector<std::thread> processes;
    for (int p = 0; p < 2; ++p)
        processes.emplace_back([&] {
            Connection own{counted.shop.database.settings("wm_monitor")};
            for (int i = 0; i < 15; ++i) charge_account(own, id, now);
        });
    for (int i = 0; i < 10; ++i) counted.pay(1'000);
    for (auto& process : processes) process.join();
    CHECK(counted.charge());
    CHECK(counted.balance() == 10'000 - counted.shop.value(recomputed));
    CHECK(counted.shop.value("select count(*) from prepayment_charge") == 1);
    CHECK(counted.shop.books().empty());
}

TEST_CASE("prepayment: days of 23 and 25 hours hold their own intervals", "[db]") {
    const bool spring = GENERATE(true, false);
    CAPTURE(spring);
    Counted counted;
    counted.shop.admin.execute("update tenant set time_zone = 'Europe/Berlin'", "moving");
    // Midnight of the day on which the clocks change.
    const Instant from =
        spring ? Instant{march(28)} + 23h : Instant{sys_days{std::chrono::year{2026} / 10 / 24}} + 22h;
    counted.shop.clock.at = from;
    counted.enrol();
    counted.use(from, from + 49h, 100);
    counted.pass(49h);
    REQUIRE(counted.charge());
    CHECK(counted.shop.value("select intervals from prepayment_day order by day limit 1") ==
          (spring ? 23 * 4 : 25 * 4));
    CHECK(counted.shop.value("select intervals from prepayment_day order by day offset 1 limit 1") == 24 * 4);
    CHECK(counted.shop.value("select sum(wh) from prepayment_day") == 49 * 400);
    CHECK(counted.balance() == -counted.shop.value(recomputed));
    CHECK(counted.shop.books().empty());
}

TEST_CASE("prepayment: a new version of the tariff prices from its day on, and no day that was charged",
          "[db]") {
    Counted counted;
    counted.enrol();
    const auto from = counted.shop.clock.now();
    counted.use(from, from + 12h, 100);  // until 18:00 UTC: before midnight for the utility
    counted.pass(12h);
    REQUIRE(counted.charge());
    const auto before = counted.balance();
    auto dear = shop_tariff();
    dear.name = "Dear";
    dear.charge_per_month = {};
    dear.steps = {{std::nullopt, {1'000'000}}};
    Tariffs{counted.shop.admin}.add_version(counted.shop.tariff, from - 1h, dear);  // back-dated
    REQUIRE(counted.charge());
    CHECK(counted.balance() == before);
    counted.use(from + 13h, from + 14h, 250);  // 1 kWh of the next day
    counted.pass(2h);
    REQUIRE(counted.charge());
    CHECK(counted.balance() == before - 1'155);  // 10.05 and 15 %, less what the month's rounding gave before
    CHECK(counted.shop.value("select count(distinct version) from prepayment_day") == 2);
    CHECK(counted.shop.books().empty());
}

TEST_CASE("prepayment: free units are free in each month", "[db]") {
    Counted counted;
    counted.shop.admin.execute("update customer_account set free_tenths = 50", "granting");
    counted.enrol();
    const auto from = counted.shop.clock.now();
    counted.use(from, from + 2h, 1'000);  // 8 kWh, 5 of them free
    counted.pass(2h);
    REQUIRE(counted.charge());
    CHECK(counted.balance() == -707);  // 6.00 and 0.15, 15 %
    counted.shop.admin.execute("update customer_account set free_tenths = 0", "taking away");
    REQUIRE(counted.charge());
    CHECK(counted.balance() == -707);  // the month keeps what it began with
}

TEST_CASE("prepayment: a meter that is changed out goes on under the same account", "[db]") {
    Counted counted{2};
    counted.enrol();
    const auto from = counted.shop.clock.now();
    counted.use(from, from + 2h, 1'000);
    counted.pass(1h);
    Transaction transaction{counted.console};
    CHECK(counted.book().leave(Counted::device(0), counted.shop.clock.now(), "ada", "broken"));
    transaction.commit();
    counted.shop.admin.execute(
        "update prepaid_meter set account = (select id from customer_account where "
        "number = 'A0') where meter_number = '" +
            std::string{Shop::pan(1).meter_number()} + "'",
        "changing the meter");
    counted.enrol(1);
    counted.use(from, from + 2h, 500, 1);
    counted.pass(1h);
    REQUIRE(counted.charge());
    CHECK(counted.shop.value("select wh from prepayment_day") == 4'000 + 2'000);
    CHECK(counted.shop.value("select count(*) from prepayment") == 1);
    CHECK(counted.shop.books().empty());
}

TEST_CASE("prepayment: what cannot be enrolled is refused with its reason", "[db]") {
    Counted counted;
    const auto now = counted.shop.clock.now();
    auto book = counted.book();
    CHECK(book.enrol(Counted::device(7), now, "ada", "x") == Enrolled::unknown_meter);
    counted.enrol();
    CHECK(book.enrol(Counted::device(0), now, "ada", "x") == Enrolled::already);
    CHECK(book.leave(Counted::device(0), now, "ada", "x"));
    CHECK_FALSE(book.leave(Counted::device(0), now, "ada", "x"));
    counted.shop.admin.execute("update channel_map set scaler = 3 where bank = 1", "another unit");
    CHECK(book.enrol(Counted::device(0), now, "ada", "x") == Enrolled::unit);
    counted.shop.admin.execute("update prepaid_meter set account = null", "taking the account away");
    CHECK(book.enrol(Counted::device(0), now, "ada", "x") == Enrolled::no_account);
    limit(counted.console, Scope::of(TenantId{1}, std::vector<AreaId>{AreaId{9}}));
    CHECK(book.enrol(Counted::device(0), now, "ada", "x") == Enrolled::unknown_meter);
    CHECK(book.list(10).empty());
}

}  // namespace wattmesh::test
