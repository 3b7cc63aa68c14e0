#include <catch2/catch.hpp>

#include "headend/database/job_work.h"
#include "headend/database/relay_rules.h"
#include "tests/db/counted.h"
#include "tests/db/mains.h"

namespace wattmesh::test {
namespace {

using namespace std::chrono_literals;

struct Death {};

Job last_job(Shop& shop) {
    return Jobs{shop.admin}.find(JobId{shop.value("select max(id) from job")}).value();
}

/// A meter with a breaker on the mains whose account the server counts. Its own credit never ends.
struct House {
    House() {
        street.shop.admin.execute("update tariff_version set charge_per_month = 0", "making months free");
        for (const std::string key : {"a", "b", "c"}) {
            street.sell(key);
            street.deliver(key);
        }
        counted.emplace(street.shop);
    }
    bool light() { return street.mains.closed(street.shop.clock.now()); }
    void pass(Duration duration) {
        Monitor process{street.shop, street.wires};
        const auto end = street.shop.clock.now() + duration;
        while (street.shop.clock.now() < end) {
            counted->round();
            street.pass({&process}, 5s);
        }
    }
    std::string item() {
        return street.shop.text(
            "select i.state || ' ' || i.detail from job_item i order by i.job desc, i.place limit 1");
    }
    Street street{cosem::Reconnection::by_command};
    std::optional<Counted> counted;
};

}  // namespace

TEST_CASE("prepayment: used up, told twice, cut in friendly hours, paid, and the light is back", "[db]") {
    House house;
    auto& counted = *house.counted;
    auto& shop = house.street.shop;
    counted.run_down();
    CHECK(shop.value("select count(*) from prepayment_notice") == 2);
    CHECK(house.light());
    house.pass(1min);
    CHECK_FALSE(house.light());
    CHECK(shop.text("select supply from prepayment") == "off");
    CHECK(shop.value(
              "select count(*) from audit where action = 'relay disconnect' and actor = 'prepayment'") == 1);
    house.pass(1min);
    CHECK(shop.value("select count(*) from job where requested_by = 'prepayment'") == 1);
    // In the night, with other orders in the way, and readings that nobody has seen for two days.
    counted.pass(50h);
    Jobs jobs{shop.admin};
    auto other = last_job(shop);
    other.requested_by = "ada";
    other.created = shop.clock.now();
    other.deadline = other.created + 1h;
    other.state = JobState::queued;
    for (int i = 0; i < 12; ++i) jobs.add(other, {"549999999999"});  // nobody knows it
    counted.pay(20'000);
    counted.round();
    CHECK(shop.value("select priority from job order by id desc limit 1") == 100);
    house.pass(20s);
    CHECK(house.light());
    CHECK(shop.text("select supply from prepayment") == "on");
    CHECK(shop.value("select count(*) from prepayment_notice where over_us is null") == 0);
    CHECK(shop.value("select count(*) from job where requested_by = 'prepayment'") == 2);
    CHECK(shop.books().empty());
}

TEST_CASE("prepayment: the gate asks once more at the moment of firing", "[db]") {
    House house;
    auto& counted = *house.counted;
    auto& shop = house.street.shop;
    counted.run_down();
    CHECK(counted.round().cuts == 1);
    std::string word;
    SECTION("paid") {
        counted.pay(20'000);
        word = "credit";
    }
    SECTION("disputed") {
        CHECK(counted.book().set_flags(Counted::device(0), {.held = {}, .disputed = "bill 7"}));
        word = "disputed";
    }
    SECTION("too late in the day") {
        shop.admin.execute("update prepayment_hours set to_minute = 600", "closing");
        word = "hours";
    }
    SECTION("left") {
        CHECK(counted.book().leave(Counted::device(0), shop.clock.now(), "ada", "moves out"));
        word = "left";
    }
    SECTION("stopped") {
        CHECK(RelayRules{shop.admin}.stop(TenantId{1}, {shop.clock.now(), "ada", "storm"}));
        word = "stopped";
    }
    SECTION("protected meanwhile") {
        CHECK(RelayRules{shop.admin}.protect(Counted::device(0), "hospital bed"));
        word = "protected";
    }
    house.pass(20s);
    CHECK(house.light());
    CHECK(house.item() == "failed " + word);
    CHECK(shop.text("select supply from prepayment") == "on");
    // An order of a person is not asked about credit.
    auto order = last_job(shop);
    order.requested_by = "ada";
    order.created = shop.clock.now();
    order.deadline = order.created + 1h;
    order.state = JobState::queued;
    CHECK_FALSE(
        headend::monitor::prepayment_objection(counted.monitor, order, Counted::device(0), order.created));
}

TEST_CASE("prepayment: who was cut off by somebody else, too, stays so", "[db]") {
    House house;
    auto& counted = *house.counted;
    auto& shop = house.street.shop;
    counted.run_down();
    house.pass(1min);
    REQUIRE_FALSE(house.light());
    auto order = last_job(shop);
    order.requested_by = "ada";
    order.created = shop.clock.now();
    order.deadline = order.created + 1h;
    order.state = JobState::queued;
    Jobs{shop.admin}.add(order, {to_string(Counted::device(0))});
    house.pass(1min);
    counted.pay(20'000);
    house.pass(2min);
    CHECK_FALSE(house.light());
    CHECK(counted.said() == "cut_off_by_order");
}

TEST_CASE("prepayment: each reason not to cut stands alone", "[db]") {
    Counted counted;
    auto& shop = counted.shop;
    std::string word;
    std::string undo;
    const auto set = [&](const std::string& statement) { shop.admin.execute(statement, "changing"); };
    SECTION("held") {
        counted.run_down();
        CHECK(counted.book().set_flags(Counted::device(0), {.held = "pays by cheque", .disputed = {}}));
        word = "held";
        undo = "update prepayment set held_why = null";
    }
    SECTION("disputed") {
        counted.run_down();
        CHECK(counted.book().set_flags(Counted::device(0), {.held = {}, .disputed = "bill 7"}));
        word = "disputed";
        undo = "update prepayment set disputed_why = null";
    }
    SECTION("an estimated interval among the last day's") {
        counted.run_down();
        counted.book().correct(Counted::device(0), {.at = shop.clock.now() - 5h,
                                                    .made = shop.clock.now(),
                                                    .wh = 100,
                                                    .estimated = true,
                                                    .by = "ada",
                                                    .reason = "as yesterday"});
        word = "estimated";
        undo = "delete from interval_version";
    }
    SECTION("a reading that rules do not believe") {
        counted.run_down();
        set("update interval_row set quality = 1 where at_us = " +
            std::to_string(epoch_us(shop.clock.now() - 1h)));
        word = "estimated";
        undo = "update interval_row set quality = 0";
    }
    SECTION("late readings") {
        counted.run_down();
        set("delete from interval_row where at_us > " + std::to_string(epoch_us(shop.clock.now() - 25h)));
        set("update prepayment set actual_to_us = null");
        word = "late";
        undo = "update prepayment set actual_to_us = " + std::to_string(epoch_us(shop.clock.now() - 24h));
    }
    SECTION("the second notice is younger than a day") {
        counted.run_down();
        set("update prepayment_notice set at_us = at_us + 3600000000 where number = 2");
        word = "notices";
        undo = "update prepayment_notice set at_us = at_us - 3600000000 where number = 2";
    }
    SECTION("outside of the hours") {
        counted.run_down();
        set("update prepayment_hours set to_minute = 600");
        word = "hours";
        undo = "update prepayment_hours set to_minute = 840";
    }
    SECTION("hours of the area") {
        counted.run_down();
        set("insert into prepayment_hours values (1, 1, 1, 0, 60)");
        word = "hours";
        undo = "delete from prepayment_hours where area = 1";
    }
    SECTION("a holiday") {
        counted.run_down();
        set("insert into prepayment_holiday values (1, 1, date '2026-03-12', 'fair')");
        word = "hours";
        undo = "delete from prepayment_holiday";
    }
    SECTION("the day before a holiday") {
        counted.run_down();
        set("insert into prepayment_holiday values (1, null, date '2026-03-13', 'fair')");
        word = "day_before";
        undo = "delete from prepayment_holiday";
    }
    SECTION("the day before a weekend") {
        counted.run_down();
        set("delete from prepayment_hours where weekday = 5");
        word = "day_before";
        undo = "insert into prepayment_hours values (1, null, 5, 540, 840)";
    }
    SECTION("a protected customer") {
        counted.run_down();
        CHECK(RelayRules{shop.admin}.protect(Counted::device(0), "life support"));
        word = "protected";
        undo = "update meter set protected_why = null";
    }
    SECTION("all switching is stopped") {
        counted.run_down();
        CHECK(RelayRules{shop.admin}.stop(TenantId{1}, {shop.clock.now(), "ada", "storm"}));
        word = "stopped";
        undo = "delete from relay_stop";
    }
    CHECK(counted.round().cuts == 0);
    CHECK(counted.said() == word);
    CHECK(shop.value("select count(*) from job") == 0);
    set(undo);
    set("update prepayment set decide_us = 0");
    CHECK(counted.round().cuts == 1);
    CHECK(last_job(shop).state == JobState::queued);
}

TEST_CASE("prepayment: many cuts within a day wait for a second person", "[db]") {
    Counted counted{4};
    counted.run_down();
    PrepaymentSettings settings;
    settings.second_person_above = 3;
    CHECK(counted.round(settings).cuts == 4);
    const auto job = last_job(counted.shop);
    CHECK(job.state == JobState::proposed);
    CHECK(job.total == 4);
    // No longer than the hours are open: 13:30 to 14:00.
    CHECK(job.deadline == counted.shop.clock.now() + 30min);
    CHECK(counted.round(settings).cuts == 0);
    CHECK(counted.said(2) == "cutting");
    // Nobody approved.
    counted.pass(31min);
    {
        Transaction transaction{counted.shop.admin};
        const auto now = counted.shop.clock.now();
        JobWork{counted.shop.admin, "m"}.claim({{"relay", 5}}, now, now + 1min);
        transaction.commit();
    }
    counted.round(settings);
    CHECK(counted.shop.value("select count(*) from prepayment where supply = 'on'") == 4);
    CHECK(counted.shop.value("select count(*) from job") == 1);
}

TEST_CASE("prepayment: few at a time are many within a day", "[db]") {
    Counted counted{2};
    counted.run_down();
    PrepaymentSettings settings;
    settings.second_person_above = 1;
    counted.shop.admin.execute(
        "update prepayment set held_why = 'x' where account = " + std::to_string(counted.account(1).value),
        "holding");
    CHECK(counted.round(settings).cuts == 1);
    CHECK(last_job(counted.shop).state == JobState::queued);
    counted.shop.admin.execute("update prepayment set held_why = null, decide_us = 0", "letting go");
    CHECK(counted.round(settings).cuts == 1);
    CHECK(last_job(counted.shop).state == JobState::proposed);
}

TEST_CASE("prepayment: who dies between any two steps leaves notices given once and one order", "[db]") {
    for (int step = 0; step < headend::monitor::prepayment_step_count; ++step) {
        CAPTURE(step);
        Counted counted;
        counted.enrol();
        int deaths = 0;
        for (int day = 0; day < 3; ++day) {
            const auto from = counted.shop.clock.now();
            counted.pass(day == 0 ? 2h : 24h);
            counted.use(from, counted.shop.clock.now(), 100);
            try {
                prepayment_round(counted.monitor, {}, counted.shop.clock.now(), [&](PrepaymentStep at) {
                    if (static_cast<int>(at) == step) throw Death{};
                });
            } catch (const Death&) {
                ++deaths;
            }
            counted.pass(2min);
            counted.round();
        }
        CHECK(deaths >= (step >= static_cast<int>(PrepaymentStep::ordered) ? 1 : 2));
        CHECK(counted.shop.value("select count(*) from prepayment_notice where number = 1") == 1);
        CHECK(counted.shop.value("select count(*) from prepayment_notice where number = 2") == 1);
        CHECK(counted.shop.value("select count(*) from job where requested_by = 'prepayment'") == 1);
        CHECK(counted.shop.text("select supply from prepayment") == "cutting");
        CHECK(counted.shop.books().empty());
    }
}

TEST_CASE("prepayment: partners are told of notices", "[db]") {
    Counted counted;
    counted.shop.admin.execute(
        "insert into exchange_contract (tenant, name, topics, changed_us, changed_by) "
        "values (1, 'mis', '{event}', 0, 'test')",
        "a partner");
    counted.enrol();
    counted.round();
    CHECK(counted.shop.text("select channel from prepayment_notice") == "outbox");
    CHECK(counted.shop.text("select type || ' ' || subject from outbox") ==
          "meter.prepayment_notice 540000000001");
    CHECK(counted.shop.text("select data->>'words' from outbox").find("First notice for account A0") == 0);
}

TEST_CASE("prepayment: a sale puts credit into the account, once, and a reversal takes it out", "[db]") {
    Counted counted;
    auto& shop = counted.shop;
    counted.enrol();
    auto seller = shop.seller();
    const auto order = shop.order(0, "k1", 10'000);
    const auto reply = Shop::sold(seller.sell(shop.vending, order));
    CHECK(reply.body.find(R"("tokens":[])") != std::string::npos);
    CHECK(reply.body.find(R"("account":{"credited":10000,"balance":10000)") != std::string::npos);
    CHECK(Shop::sold(seller.sell(shop.vending, order)).body == reply.body);
    CHECK(counted.balance() == 10'000);
    CHECK(shop.calls() == 0);  // of the module
    auto free = shop.order(0, "k2", 0);
    free.kind = SaleKind::free;
    free.units = {100};
    CHECK(Shop::refused(seller.sell(shop.vending, free)) == Reason::not_possible);
    CHECK(std::holds_alternative<Objection>(
        seller.quote(shop.vending, order.terminal, Shop::pan(0), Tenths{100})));
    CHECK(std::get<pricing::Quote>(seller.quote(shop.vending, order.terminal, Shop::pan(0), Money{500}))
              .lines.back()
              .balance == Money{10'500});
    CHECK(Sales{shop.vending}.reverse({shop.value("select id from sale where key = 'k1'")}, shop.clock.now(),
                                      "anna", "wrong account"));
    CHECK(counted.balance() == 0);
    CHECK(shop.books().empty());
    // Once it has left, it gets tokens again.
    CHECK(counted.book().leave(Counted::device(0), shop.clock.now(), "ada", "asked"));
    CHECK(Shop::sold(seller.sell(shop.vending, shop.order(0, "k3", 10'000))).body.find(R"("tokens":[{)") !=
          std::string::npos);
    CHECK(shop.books().empty());
}

TEST_CASE("prepayment: whoever dies in the middle of a payment leaves it counted once", "[db]") {
    const auto at = static_cast<Step>(GENERATE(0, 1, 3, 4));
    CAPTURE(static_cast<int>(at));
    Counted counted;
    counted.enrol();
    auto dying = counted.shop.seller([&](Step step) {
        if (step == at) throw Death{};
    });
    const auto order = counted.shop.order(0, "k1", 10'000);
    CHECK_THROWS_AS(dying.sell(counted.shop.vending, order), Death);
    auto seller = counted.shop.seller();
    const auto reply = Shop::sold(seller.sell(counted.shop.vending, order));
    CHECK(reply.body.find(R"("balance":10000)") != std::string::npos);
    CHECK(counted.balance() == 10'000);
    CHECK(counted.shop.books().empty());
}

}  // namespace wattmesh::test
