#include <catch2/catch.hpp>

#include "headend/vending/upkeep.h"
#include "tests/db/shop.h"

namespace wattmesh::test {
namespace {

using headend::vending::compare_with_module;
using headend::vending::look_after;
using namespace std::chrono_literals;

struct DeadInChange {};

}  // namespace

TEST_CASE(
    "vending: whoever dies in a key change leaves one that ends with the same tokens, and the books with it",
    "[db]") {
    const auto at = static_cast<Step>(GENERATE(0, 1, 2, 3, 4));
    const bool by_client = GENERATE(true, false);
    CAPTURE(static_cast<int>(at), by_client);
    Shop shop;
    shop.load_key(201458, 1);
    auto change = shop.order(0, "c1", 0);
    change.kind = SaleKind::key_change;
    change.target = headend::vending::KeyTarget{{{201458}, 1}, 7};
    auto dying = shop.seller([&](Step step) {
        if (step == at) throw DeadInChange{};
    });
    CHECK_THROWS_AS(dying.sell(shop.vending, change), DeadInChange);
    shop.open_module();
    auto seller = shop.seller();
    if (!by_client) look_after(shop.vending, seller, *shop.module, shop.clock.now() + 1h, 0h);
    const auto reply = Shop::sold(seller.sell(shop.vending, change));
    CHECK(digits_in(reply.body).size() == 4);
    CHECK(Shop::sold(seller.sell(shop.vending, change)).body == reply.body);
    CHECK(shop.calls() == 1);
    CHECK(
        shop.text("select supply_group || ' ' || tariff_index from prepaid_meter where account = (select id "
                  "from customer_account where number = 'A0')") == "201458 7");
    CHECK(compare_with_module(shop.vending, *shop.module, shop.clock.now()).foreign.empty());
    CHECK(shop.books().empty());
}

TEST_CASE("vending: while a meter's key is changed nothing is sold under the old one", "[db]") {
    Shop shop;
    shop.load_key(201458, 1);
    auto change = shop.order(0, "c1", 0, "K1");
    change.kind = SaleKind::key_change;
    change.target = headend::vending::KeyTarget{{{201458}, 1}, 1};
    auto dying = shop.seller([](Step step) {
        if (step == Step::intended) throw DeadInChange{};
    });
    CHECK_THROWS_AS(dying.sell(shop.vending, change), DeadInChange);
    auto seller = shop.seller();
    CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k1", 10'000))) == Reason::busy);
    bool once = true;
    auto slow = shop.seller([&](Step step) {  // reads, and the change ends before it stores
        if (step == Step::read && std::exchange(once, false)) Shop::sold(seller.sell(shop.vending, change));
    });
    Shop::sold(slow.sell(shop.vending, shop.order(0, "k1", 10'000)));
    CHECK(shop.value("select supply_group from vend_token where sale = (select id from sale where key = "
                     "'k1')") == 201458);
    CHECK(shop.value("select credit from vendor where name = 'Corner'") == 10'000'000 - 10'000);
    CHECK(shop.books().empty());
}

}  // namespace wattmesh::test
