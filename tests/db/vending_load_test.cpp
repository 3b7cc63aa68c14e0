#include <catch2/catch.hpp>

#include "headend/database/read_sales.h"
#include "tests/db/mains.h"

namespace wattmesh::test {

TEST_CASE("vending reports: a meter that uses energy and buys none is found, until it buys", "[db]") {
    Street street;
    const auto today = std::chrono::floor<std::chrono::days>(street.shop.clock.now());
    const SalesSpan span{.first = today - std::chrono::days{3}, .last = today};
    const auto idle = [&] {
        std::vector<std::string> lines;
        for (const auto& one : SalesReader{street.shop.vending}.anomalies(span))
            if (one.what == "load_without_purchase") lines.push_back(one.subject + ": " + one.detail);
        return lines;
    };
    const auto use = [&](int days_ago, int wh) {
        const auto from =
            std::chrono::sys_time<std::chrono::microseconds>{today - std::chrono::days{days_ago}};
        street.shop.admin.execute(
            "insert into aggregate_day (meter, bank, from_us, tenant, area, readings, doubtful, v1) select "
            "meter, 1, " +
                std::to_string(from.time_since_epoch().count()) + ", 1, 1, 96, 0, " + std::to_string(wh) +
                " from prepaid_meter where meter is not null",
            "using energy");
    };
    use(2, 9'999);
    CHECK(idle().empty());
    use(1, 1);
    use(20, 50'000);  // long before
    CHECK(idle() == std::vector<std::string>{"meter " + std::string{Shop::pan(0).meter_number()} +
                                             ": 10000 Wh used, never bought anything"});
    street.sell("k1");
    CHECK(idle().empty());
}

}  // namespace wattmesh::test
