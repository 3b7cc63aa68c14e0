#include <catch2/catch.hpp>

#include "headend/vending/upkeep.h"
#include "tests/db/shop.h"

namespace wattmesh::test {
namespace {

using headend::vending::look_after;
using namespace std::chrono_literals;

struct DeadAtLimit {};

}  // namespace

TEST_CASE("vending: a quote refuses what its sale would be refused for", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    const auto reason = [&](auto wanted) {
        const auto answer =
            seller.quote(shop.vending, *Vendors{shop.admin}.terminal("T1"), Shop::pan(0), wanted);
        const auto* no = std::get_if<Objection>(&answer);
        return no == nullptr ? std::string{"sold"} : std::string{to_string(no->reason)};
    };
    CHECK(reason(Money{10'000}) == "sold");
    shop.admin.execute("update vendor set credit = 9000 where name = 'Corner'", "leaving 90.00");
    CHECK(reason(Money{9'000}) == "sold");
    CHECK(reason(Money{9'001}) == "vendor_credit");
    CHECK(reason(Tenths{500}) == "vendor_credit");
    shop.admin.execute("update prepaid_meter set supply_group = 201458", "moving meters");
    CHECK(reason(Money{9'000}) == "no_key");
    CHECK(reason(Tenths{10}) == "no_key");
}

TEST_CASE("vending: a limit that suffices for one token of two sells neither, or both when it is raised",
          "[db]") {
    Shop shop;
    shop.admin.execute("update customer_account set free_tenths = 500", "granting free units");
    shop.admin.execute("update prepaid_meter set supply_group = 201458", "moving meters");
    SECTION("it is known before") {
        shop.load_key(201458, 1, 600);
        auto seller = shop.seller();
        CHECK(Shop::refused(seller.sell(shop.vending, shop.order(0, "k1", 10'000))) == Reason::not_possible);
        CHECK(shop.value("select count(*) from sale where key = 'k1'") == 0);
        CHECK(shop.calls() == 0);
    }
    SECTION("somebody else uses it up in between") {
        shop.load_key(201458, 1, 1'000);
        auto other = shop.seller();
        bool once = true;
        auto seller = shop.seller([&](Step step) {
            if (step != Step::token_made || !std::exchange(once, false)) return;
            shop.admin.execute("update customer_account set free_tenths = 0 where number = 'A1'", "taking");
            Shop::sold(other.sell(shop.vending, shop.order(1, "o1", 10'000)));
        });
        const auto sell = [&] { return seller.sell(shop.vending, shop.order(0, "k1", 10'000)); };
        CHECK(Shop::refused(sell()) == Reason::module_away);
        CHECK(Shop::refused(sell()) == Reason::module_away);
        const auto kept = look_after(shop.vending, seller, *shop.module, shop.clock.now() + 1h, 0h);
        CHECK_THAT(kept.alarms.at(0), Catch::Contains("refuses its second token"));
        shop.load_key(201458, 1, 10'000);
        CHECK(digits_in(Shop::sold(sell()).body).size() == 2);
        CHECK(shop.calls() == 3);
    }
    CHECK(shop.books().empty());
}

TEST_CASE("vending: a sale that cannot be ended does not keep others waiting", "[db]") {
    Shop shop;
    auto dying = shop.seller([](Step step) {
        if (step == Step::intended) throw DeadAtLimit{};
    });
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_AS(dying.sell(shop.vending, shop.order(i, "k" + std::to_string(i), 10'000)),
                        DeadAtLimit);
    Sales sales{shop.vending};
    const auto later = shop.clock.now() + 1h;
    const auto ids = sales.open(later, 10);
    REQUIRE(ids.size() == 3);
    sales.tried(ids[0], later);
    sales.tried(ids[1], later + 1s);
    CHECK(sales.open(later, 10) == std::vector<SaleId>{ids[2], ids[0], ids[1]});
}

}  // namespace wattmesh::test
