#include <soci/soci.h>

#include <catch2/catch.hpp>

#include "tests/db/mains.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace std::chrono_literals;
using cosem::Reconnection;

namespace {

std::int64_t sold_wh(Street& street) {
    return street.shop.value(
        "select coalesce(sum(tenths), 0) * 100 from sale where state = 'issued' and tender > 0 "
        "and kind = 'sale'");
}
std::vector<std::string> results(const Delivery& delivery) {
    std::vector<std::string> found;
    for (const auto& token : delivery.tokens) found.push_back(token.result);
    return found;
}

Job relay_order(Street& street, const std::string& verb) {
    Job job;
    job.scope = Scope::of(TenantId{1});
    job.kind = "relay";
    job.title = "By hand";
    job.parameters = R"({"verb":")" + verb + R"("})";
    job.requested_by = "ada";
    job.reason = "test";
    job.created = street.shop.clock.now();
    job.deadline = job.created + 24h;
    return job;
}

}  // namespace

TEST_CASE("delivery: a sold token reaches the meter, which says what it has, and its light is on", "[db]") {
    Street street;
    CHECK_FALSE(street.mains.closed(street.shop.clock.now()));
    const auto digits = street.sell("k1");
    CHECK(street.delivery("k1").state == DeliveryState::waiting);
    const auto kept = street.shop.text("select encode(sealed, 'escape') from vend_delivery_token");
    CHECK(kept.find(digits) == std::string::npos);
    street.deliver("k1");
    const auto done = street.delivery("k1");
    CHECK(done.state == DeliveryState::done);
    CHECK(done.detail.empty());
    CHECK(done.relay == "connected");
    CHECK(results(done) == std::vector<std::string>{"remote"});
    CHECK(done.tokens[0].sealed.empty());  // nobody keeps what the meter has
    REQUIRE(done.balance);
    CHECK(done.balance->unit == "Wh");
    CHECK(done.balance->amount <= sold_wh(street));
    CHECK(done.balance->amount > sold_wh(street) - 100);
    CHECK(street.mains.closed(street.shop.clock.now()));
    CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
    CHECK(street.shop.value(
              "select count(*) from vend_journal where event = 'delivered' and record = 'remote'") == 1);
    CHECK(street.shop.books().empty());
}

TEST_CASE("delivery: whoever dies between any two steps leaves one that ends with each token taken once",
          "[db]") {
    const auto reconnection = GENERATE(Reconnection::by_itself, Reconnection::by_command);
    Street street{reconnection};
    for (int at = 0; at < headend::monitor::delivery_step_count; ++at) {
        const bool by_command = reconnection == Reconnection::by_command;
        if (static_cast<DeliveryStep>(at) == DeliveryStep::ordered && !by_command) continue;
        CAPTURE(at, by_command);
        const auto key = "k" + std::to_string(at);
        if (by_command)  // open, as after its credit was used up
            street.mains.meter.act({70, obis::disconnect_control, 1}, std::int8_t{0}, management_client,
                                   street.shop.clock.now(), [](const auto&) {});
        street.sell(key);
        bool died = false;
        {
            Monitor dying{street.shop, street.wires, [&](DeliveryStep step) {
                              if (step == static_cast<DeliveryStep>(at)) died = true;
                              return !died;
                          }};
            for (int i = 0; i < 20 && !died; ++i) street.pass({&dying}, 5s);
        }
        CHECK(died);
        street.wires.keys.waiting.clear();
        street.wires.requests.clear();
        street.shop.clock.at = street.shop.clock.now() + 11min;  // its claim is over
        street.deliver(key);
        const auto done = street.delivery(key);
        CHECK(done.state == DeliveryState::done);
        CHECK(done.detail.empty());
        CHECK(street.mains.closed(street.shop.clock.now()));
        CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
    }
    CHECK(street.shop.books().empty());
}

TEST_CASE("delivery: a model that waits for a command is connected by one job of the gate, ahead of all else",
          "[db]") {
    Street street{Reconnection::by_command};
    Jobs jobs{street.shop.admin};
    const auto other = relay_order(street, "reconnect");
    for (int i = 0; i < 12; ++i) jobs.add(other, {"549999999999"});  // nobody knows it
    street.sell("k1");
    street.deliver("k1");
    const auto done = street.delivery("k1");
    CHECK(done.relay == "connected");
    CHECK(street.mains.closed(street.shop.clock.now()));
    REQUIRE(done.relay_job);
    const auto job = jobs.find(*done.relay_job).value();
    CHECK(job.requested_by == "vending");
    CHECK(job.state == JobState::done);
    CHECK(street.shop.value("select count(*) from job where requested_by = 'vending'") == 1);
    CHECK(street.shop.value(
              "select count(*) from audit where action = 'relay reconnect' and actor = 'vending'") == 1);
    // the next one finds it connected, and sends no command
    street.sell("k2");
    street.deliver("k2");
    CHECK(street.shop.value("select count(*) from job where requested_by = 'vending'") == 1);
}

TEST_CASE("delivery: no breaker is closed against a warning that nobody gave, a voltage, or an order",
          "[db]") {
    Street street{Reconnection::by_command};
    Monitor process{street.shop, street.wires};
    SECTION("the receipt is not confirmed") {
        street.sell("k1", false);
        street.pass({&process}, 2min);
        CHECK(street.delivery("k1").detail == "not_confirmed");
        CHECK_FALSE(street.mains.closed(street.shop.clock.now()));
        CHECK(Sales{street.shop.vending}.confirm(street.sale("k1"), street.shop.clock.now(), "anna"));
    }
    SECTION("a generator runs behind the breaker") {
        street.mains.keypad("generator on", street.shop.clock.now());
        street.sell("k1");
        street.pass({&process}, 2min);
        CHECK(street.delivery("k1").detail == "voltage_behind");
        CHECK_FALSE(street.mains.closed(street.shop.clock.now()));
        street.mains.keypad("generator off", street.shop.clock.now());
        street.pass({&process}, 15min, 1min);
    }
    SECTION("somebody cut it off") {
        const auto cut = relay_order(street, "disconnect");
        Jobs{street.shop.admin}.add(cut, {to_string(headend::monitor::fixed::meter)});
        street.pass({&process}, 1min);
        street.sell("k1");
        street.pass({&process}, 2min);
        CHECK(street.delivery("k1").state == DeliveryState::done);
        CHECK(street.delivery("k1").detail == "cut_off_by_order");
        CHECK_FALSE(street.mains.closed(street.shop.clock.now()));
        return;
    }
    street.pass({&process}, 5min);
    CHECK(street.delivery("k1").detail.empty());
    CHECK(street.delivery("k1").state == DeliveryState::done);
    CHECK(street.mains.closed(street.shop.clock.now()));
}

TEST_CASE("delivery: whichever of keypad and mesh comes second finds the token used, and that is delivered",
          "[db]") {
    Street street;
    SECTION("typed in while the mesh is away") {
        street.wires.status = RelayStatus::unreachable;
        const auto digits = street.sell("k1");
        {
            Monitor process{street.shop, street.wires};
            street.pass({&process}, 1min);
        }
        CHECK(street.delivery("k1").detail == "unreachable");
        CHECK_THAT(street.mains.keypad("enter " + digits, street.shop.clock.now()),
                   Catch::Contains(R"("result":"accepted")"));
        street.wires.status = RelayStatus::answered;
        street.deliver("k1");
        CHECK(results(street.delivery("k1")) == std::vector<std::string>{"keypad"});
    }
    SECTION("typed in, and another after it") {
        const auto first = street.sell("k1");
        street.shop.clock.at = street.shop.clock.now() + 2min;
        const auto second = street.sell("k2");
        street.mains.keypad("enter " + first, street.shop.clock.now());
        street.mains.keypad("enter " + second, street.shop.clock.now());
        street.deliver("k1");
        CHECK(results(street.delivery("k1")) == std::vector<std::string>{"before"});
        CHECK(street.delivery("k1").state == DeliveryState::done);
    }
    SECTION("delivered, then typed in") {
        const auto digits = street.sell("k1");
        street.deliver("k1");
        CHECK_THAT(street.mains.keypad("enter " + digits, street.shop.clock.now()),
                   Catch::Contains(R"("result":"used_error")"));
    }
    CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
}

TEST_CASE("delivery: answers that are lost, and two processes that think it is theirs, bring a token once",
          "[db]") {
    Street street;
    SECTION("the answer to the token is lost twice") {
        street.wires.lose_entries = 2;
        street.sell("k1");
        street.deliver("k1");
        CHECK(results(street.delivery("k1")) == std::vector<std::string>{"remote"});
    }
    SECTION("two processes without claims, and a first token that has to wait") {
        headend::monitor::DeliveryWorkSettings greedy;
        greedy.claim = Duration{0};
        street.sell("k1");
        street.shop.clock.at = street.shop.clock.now() + 2min;
        street.sell("k2");
        street.shop.admin.execute(
            "update vend_delivery set next_us = next_us + 600000000 where sale = (select min(sale) "
            "from vend_delivery)",
            "making the first token wait");
        Monitor one{street.shop, street.wires, {}, greedy}, two{street.shop, street.wires, {}, greedy};
        for (int i = 0; i < 300 && !(street.delivery("k1").finished && street.delivery("k2").finished); ++i)
            street.pass({i % 2 == 0 ? &one : &two}, 5s);
        CHECK(street.delivery("k1").state == DeliveryState::done);
        CHECK(street.delivery("k1").taken < street.delivery("k2").taken);  // in the order of their sales
    }
    CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
    CHECK(street.shop.value("select count(*) from vend_journal where event = 'delivered'") ==
          street.shop.value("select count(*) from vend_delivery"));
}

TEST_CASE("delivery: a sale that is taken back is not delivered, one that may have arrived is not taken back",
          "[db]") {
    Street street;
    Sales sales{street.shop.vending};
    SECTION("before anything was sent") {
        street.sell("k1", false);
        CHECK(sales.reverse(street.sale("k1"), street.shop.clock.now(), "boss", "wrong meter"));
        Monitor process{street.shop, street.wires};
        street.pass({&process}, 2min);
        CHECK(street.delivery("k1").state == DeliveryState::cancelled);
        CHECK(street.mains.bought(street.shop.clock.now()) == 0);
    }
    SECTION("while a token may be on its way") {
        street.sell("k1", false);
        street.wires.lose_entries = 1'000;
        Monitor process{street.shop, street.wires};
        street.pass({&process}, 5s);
        CHECK_FALSE(sales.reverse(street.sale("k1"), street.shop.clock.now(), "boss", "wrong meter"));
        street.wires.lose_entries = 0;
        street.pass({&process}, 3min);
        CHECK(street.delivery("k1").state == DeliveryState::done);
        CHECK_FALSE(sales.reverse(street.sale("k1"), street.shop.clock.now(), "boss", "wrong meter"));
        CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
    }
    SECTION("the meter refuses the token: it holds another key") {
        street.shop.admin.execute("update prepaid_meter set tariff_index = 2",
                                  "noting a key that the meter has not");
        street.sell("k1", false);
        street.deliver("k1");
        CHECK(street.delivery("k1").state == DeliveryState::failed);
        CHECK(results(street.delivery("k1")) == std::vector<std::string>{"crc_error"});
        CHECK(sales.reverse(street.sale("k1"), street.shop.clock.now(), "boss", "another key"));
    }
    CHECK(street.shop.books().empty());
}

TEST_CASE("delivery: a key change is done when the meter has the key, and what is under it comes after",
          "[db]") {
    Street street;
    street.shop.load_key(201458, 1);
    street.change_key("c1");
    street.shop.clock.at = street.shop.clock.now() + 1min;
    street.sell("k1");
    const auto group = [&] {
        return street.mains.meter.prepaid_at(street.shop.clock.now()).state().key.supply_group.value;
    };
    Monitor process{street.shop, street.wires};
    SECTION("without a pause") {}
    SECTION("the meter forgets sections meanwhile") {
        const auto accepted = [&] {
            const auto now = results(street.delivery("c1"));
            return std::count_if(now.begin(), now.end(), [](const auto& result) { return !result.empty(); });
        };
        const auto so_many = GENERATE(1, 2, 3);
        for (int i = 0; i < 100 && accepted() < so_many; ++i) street.pass({&process}, 5s);
        REQUIRE(accepted() == so_many);
        street.wires.status = RelayStatus::unreachable;
        street.pass({&process}, 15min);
        CHECK(group() == 201457);
        CHECK_FALSE(street.delivery("c1").finished);
        CHECK_FALSE(street.delivery("c1").tokens[0].sealed.empty());
        street.wires.status = RelayStatus::answered;
    }
    SECTION("answers are lost") { street.wires.lose_entries = 3; }
    SECTION("the customer types the rest in") {
        for (int i = 0; i < 100 && results(street.delivery("c1"))[0].empty(); ++i)
            street.pass({&process}, 5s);
        for (const auto& digits : street.digits("c1"))
            street.mains.keypad("enter " + digits, street.shop.clock.now());
        CHECK(group() == 201458);
    }
    SECTION("the customer types it all in") {
        for (const auto& digits : street.digits("c1"))
            street.mains.keypad("enter " + digits, street.shop.clock.now());
        CHECK(group() == 201458);
    }
    for (int i = 0; i < 400 && !street.delivery("k1").finished; ++i) street.pass({&process}, 5s);
    CHECK(group() == 201458);
    const auto changed = street.delivery("c1"), bought = street.delivery("k1");
    CHECK(changed.state == DeliveryState::done);
    CHECK(changed.tokens.size() == 4);
    CHECK(changed.tokens[0].sealed.empty());
    CHECK(bought.state == DeliveryState::done);
    CHECK(changed.taken < bought.taken);
    CHECK(results(bought) == std::vector<std::string>{"remote"});
    CHECK(street.mains.bought(street.shop.clock.now()) == sold_wh(street));
}

TEST_CASE("delivery: whoever dies while a key is brought leaves a change that ends with the new key",
          "[db]") {
    const auto at = static_cast<DeliveryStep>(GENERATE(0, 1, 2, 3, 4));
    const int round = GENERATE(2, 5);  // in the middle; and when the first section is entered again
    CAPTURE(static_cast<int>(at), round);
    Street street;
    street.shop.load_key(201458, 1);
    street.change_key("c1");
    int times = 0;
    {
        Monitor dying{street.shop, street.wires, [&](DeliveryStep step) {
                          if (step == at && times < round) ++times;
                          return times < round;
                      }};
        for (int i = 0; i < 40 && times < round; ++i) street.pass({&dying}, 5s);
    }
    REQUIRE(times == round);
    street.wires.keys.waiting.clear();
    street.wires.requests.clear();
    street.shop.clock.at = street.shop.clock.now() + 11min;
    street.deliver("c1");
    CHECK(street.delivery("c1").state == DeliveryState::done);
    CHECK(street.mains.meter.prepaid_at(street.shop.clock.now()).state().key.supply_group.value == 201458);
    CHECK(street.mains.meter.prepaid_at(street.shop.clock.now()).state().key_changes == 1);
}

TEST_CASE("delivery: sections of a key for a meter with another one are refused", "[db]") {
    Street street;
    street.shop.load_key(201458, 1);
    street.shop.admin.execute("update prepaid_meter set tariff_index = 2",
                              "noting a key that the meter has not");
    street.change_key("c1");
    street.deliver("c1");
    CHECK(street.delivery("c1").state == DeliveryState::failed);
    CHECK(results(street.delivery("c1"))[0] == "crc_error");
}

TEST_CASE("delivery: selling goes on without monitor and mesh, and what waits too long is left to the keypad",
          "[db]") {
    Street street;
    street.wires.status = RelayStatus::offline;
    const auto digits = street.sell("k1");
    Monitor process{street.shop, street.wires};
    street.pass({&process}, 71h, 30min);
    CHECK(street.delivery("k1").state == DeliveryState::waiting);
    CHECK(street.delivery("k1").detail == "offline");
    street.pass({&process}, 2h, 30min);
    CHECK(street.delivery("k1").state == DeliveryState::failed);
    CHECK(street.delivery("k1").detail == "not_delivered");
    CHECK_THAT(street.mains.keypad("enter " + digits, street.shop.clock.now()),
               Catch::Contains(R"("result":"accepted")"));
}
