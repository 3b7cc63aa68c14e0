#include <catch2/catch.hpp>

#include "headend/database/vend_journal.h"
#include "tests/db/shop.h"

namespace wattmesh::test {

TEST_CASE("vending: the journal is sealed in batches, and every alteration is found", "[db]") {
    Shop shop;
    auto seller = shop.seller();
    VendJournal journal{shop.vending};
    CHECK(journal.seal(shop.clock.now(), 1'000).head.number == 1);  // deposits
    for (int i = 0; i < 3; ++i)
        Shop::sold(seller.sell(shop.vending, shop.order(i, "k" + std::to_string(i), 10'000)));
    CHECK(journal.seal(shop.clock.now(), 4).records == 4);
    const auto sealed = journal.seal(shop.clock.now(), 1'000);
    CHECK(sealed.records == 2);
    CHECK(sealed.head == journal.head());
    CHECK(sealed.head.number == 3);
    CHECK(journal.waiting().first == 0);
    CHECK_FALSE(journal.first_broken());
    struct Row {
        const char* statement;
        std::int64_t broken;
    };
    const auto row = GENERATE(values<Row>(
        {{"update vend_journal set record = record || ' ' where id = 3", 2},
         {"update vend_journal set event = 'x' where id = 8", 3},
         {"delete from vend_journal where id = 4", 2},
         {"update vend_journal set sale = sale + 1 where id = 1", 1},
         {"insert into vend_journal (at_us, event, operator, record, seal) values (1, 'x', '', '', 2)", 2},
         {"delete from vend_seal where number = 2", 2},
         {"update vend_seal set hash = sha256('x') where number = 1", 1},
         {"update vend_journal set seal = 9 where id = 8", 3}}));
    CAPTURE(row.statement);
    shop.admin.execute(row.statement, "tampering");
    CHECK(journal.first_broken() == row.broken);
}

TEST_CASE("vending: the role that sells may change neither books nor tariffs by itself", "[db]") {
    Shop shop;
    const auto state = [&](const char* statement) -> std::string {
        try {
            shop.vending.execute(statement, "trying");
        } catch (const DatabaseError& error) {
            return error.state();
        }
        return "done";
    };
    for (const char* statement :
         {"update vendor set credit = 1",
          "insert into sale_line values (1, 9, 'fee', 'x', 1, 0, 0, 0, 0, null, null, 1, 2)",
          "delete from sale", "update sale set tender = 1", "delete from vend_journal",
          "update vend_journal set record = ''", "update tariff_step set price_mills = 1",
          "update customer_debt set balance = 0", "update customer_account set month_tenths = 0",
          "select * from meter_key", "update user_account set password_hash = ''", "delete from vend_seal"}) {
        CAPTURE(statement);
        CHECK(state(statement) == "42501");
    }
}

}  // namespace wattmesh::test
