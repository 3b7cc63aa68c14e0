#include "tests/db/counted.h"

#include <catch2/catch.hpp>

namespace wattmesh::test {

Counted::Counted(Shop& other) : shop(other) { limit(console, Scope::of(TenantId{1})); }

Counted::Counted(int count) : own(std::make_unique<Shop>(count)), shop(*own), meters(count) {
    Customers customers{shop.admin};
    Meters registry{shop.admin};
    for (int i = 0; i < meters; ++i) {
        registry.put(
            {.number = device(i), .model = "WM-SIM-3", .concentrator = {}, .installed = shop.clock.now()});
        REQUIRE(customers.set_device(customers.meter(Shop::pan(i))->id, device(i)));
    }
    // The shop's tariff without a charge for the month: what is paid in is what the account gets.
    shop.admin.execute("update tariff_version set charge_per_month = 0", "making months free");
    limit(console, Scope::of(TenantId{1}));
}

DeviceNumber Counted::device(int meter) {
    return DeviceNumber::parse(std::to_string(540'000'000'001 + meter)).value();
}

void Counted::enrol(int meter) {
    Transaction transaction{console};
    REQUIRE(book().enrol(device(meter), shop.clock.now(), "ada", "asked for it") == Enrolled::done);
    transaction.commit();
}

void Counted::reading(Instant at, std::optional<std::int64_t> wh, int meter, int quality, int status) {
    const auto us = std::to_string(epoch_us(at));
    const auto day = std::to_string((epoch_us(at)) / 86'400'000'000);
    shop.admin.execute("select make_interval_day(" + day + ")", "making a day");
    // As ingest merges: a null channel may be filled, what is there stays.
    shop.admin.execute(
        "insert into interval_row as old (meter, at_us, journal, sequence, quality, tenant, "
        "area, bank, status, v1) select id, " +
            us + ", 1, 1, " + std::to_string(quality) + ", tenant, area, 1, " + std::to_string(status) +
            ", " + (wh ? std::to_string(*wh) : "null") +
            " from meter where number = " + to_string(device(meter)) +
            " on conflict (meter, bank, at_us) do update set v1 = coalesce(old.v1, "
            "excluded.v1)",
        "storing a reading");
}

void Counted::use(Instant from, Instant to, std::int64_t wh, int meter) {
    const auto text = [](std::int64_t number) { return std::to_string(number); };
    constexpr std::int64_t day_us = 86'400'000'000, quarter_us = 900'000'000;
    shop.admin.execute("select make_interval_day(d) from generate_series(" + text(epoch_us(from) / day_us) +
                           ", " + text(epoch_us(to) / day_us) + ") d",
                       "making days");
    shop.admin.execute(
        "insert into interval_row (meter, at_us, journal, sequence, quality, tenant, area, bank, "
        "status, v1) select m.id, t, 1, 1, 0, m.tenant, m.area, 1, 0, " +
            text(wh) + " from meter m, generate_series(" + text(epoch_us(from) + quarter_us) + ", " +
            text(epoch_us(to)) + ", " + text(quarter_us) +
            "::bigint) t where m.number = " + to_string(device(meter)) + " on conflict do nothing",
        "storing readings");
}

void Counted::run_down() {
    for (int i = 0; i < meters; ++i) enrol(i);
    for (int day = 0; day < 3; ++day) {
        const auto from = shop.clock.now();
        pass(day == 0 ? std::chrono::hours{2} : std::chrono::hours{24});
        for (int i = 0; i < meters; ++i) use(from, shop.clock.now(), 100, i);
        if (day < 2) CHECK(round().notices == meters);
    }
}

void Counted::pay(std::int64_t tender, int meter) {
    auto seller = shop.seller();
    Shop::sold(seller.sell(shop.vending, shop.order(meter, "pay " + std::to_string(++payments), tender)));
}

PrepaidAccountId Counted::account(int meter) {
    return {shop.value("select id from customer_account where number = 'A" + std::to_string(meter) + "'")};
}
std::int64_t Counted::balance(int meter) {
    return shop.value("select balance from prepayment where account = " +
                      std::to_string(account(meter).value));
}
std::string Counted::said(int meter) {
    return shop.text("select said from prepayment where account = " + std::to_string(account(meter).value));
}

}  // namespace wattmesh::test
