#include <catch2/catch.hpp>

#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

Energies over(const Load& load, Instant from, Instant to) {
    Energies sum;
    for (IntervalNumber i = quarter(from); i < quarter(to); ++i) sum += load.during(i, SummaryLoad::whole);
    return sum;
}

}  // namespace

TEST_CASE("load: is a pure function of seed, meter and interval", "[sim]") {
    const CustomerLoad a{7, customer_number(1), LoadKind::household, true},
        b{7, customer_number(1), LoadKind::household, true};
    const CustomerLoad other_seed{8, customer_number(1), LoadKind::household, true};
    const CustomerLoad other_meter{7, customer_number(2), LoadKind::household, true};
    std::vector<Energies> forward, backward;
    int same_seed = 0, same_meter = 0;
    for (IntervalNumber i = quarter(monday); i < quarter(monday + 24h); ++i) {
        forward.push_back(a.nominal(i));
        same_seed += a.nominal(i) == other_seed.nominal(i) ? 1 : 0;
        same_meter += a.nominal(i) == other_meter.nominal(i) ? 1 : 0;
    }
    for (IntervalNumber i = quarter(monday + 24h); i-- > quarter(monday);)
        backward.insert(backward.begin(), b.nominal(i));
    CHECK(forward == backward);
    CHECK(same_seed < 20);
    CHECK(same_meter < 20);
}

TEST_CASE("load: shapes are those of a household, a shop and a factory", "[sim]") {
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U);
    CAPTURE(seed);
    Energies night, evening, household, factory_workday, factory_sunday, shop_noon, shop_night, shop_sunday;
    for (int i = 0; i < 30; ++i) {
        const CustomerLoad home{seed, customer_number(i), LoadKind::household, false};
        household += over(home, monday, monday + 24h * 7);
        for (int day = 0; day < 5; ++day) {
            night += over(home, monday + 24h * day + 2h, monday + 24h * day + 4h);
            evening += over(home, monday + 24h * day + 19h, monday + 24h * day + 21h);
        }
        const CustomerLoad shop{seed, customer_number(30 + i), LoadKind::shop, false};
        shop_noon += over(shop, monday + 11h, monday + 13h);
        shop_night += over(shop, monday + 1h, monday + 3h);
        shop_sunday += over(shop, monday + 6 * 24h + 11h, monday + 6 * 24h + 13h);
        const CustomerLoad factory{seed, customer_number(60 + i), LoadKind::factory, false};
        factory_workday += over(factory, monday + 24h, monday + 48h);
        factory_sunday += over(factory, monday + 6 * 24h, monday + 7 * 24h);
    }
    CHECK(evening.channels[0] > 2 * night.channels[0]);
    const std::int64_t per_day = household.channels[0] / 30 / 7;
    CHECK(per_day > 6'000);  // a household uses 6 to 30 kWh a day
    CHECK(per_day < 30'000);
    CHECK(household.channels[1] == 0);
    CHECK(household.channels[2] > household.channels[0] / 10);
    CHECK(household.channels[2] < household.channels[0] / 2);
    CHECK(shop_noon.channels[0] > 3 * shop_night.channels[0]);
    CHECK(shop_noon.channels[0] > 3 * shop_sunday.channels[0]);
    CHECK(factory_workday.channels[0] > 2 * factory_sunday.channels[0]);
    CHECK(factory_workday.channels[0] / 30 > 100'000);
}

TEST_CASE("load: a solar roof exports at noon and never at night, more in June than in December", "[sim]") {
    std::int64_t june = 0, december = 0, at_night = 0;
    const Instant june_first{std::chrono::sys_days{std::chrono::year{2026} / 6 / 1}};
    const Instant december_first{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};
    for (int i = 0; i < 20; ++i) {
        const CustomerLoad roof{3, customer_number(i), LoadKind::household, true};
        june += over(roof, june_first, june_first + 24h * 14).channels[1];
        december += over(roof, december_first, december_first + 24h * 14).channels[1];
        for (int day = 0; day < 14; ++day)
            at_night += over(roof, june_first + 24h * day, june_first + 24h * day + 3h).channels[1];
    }
    CHECK(june > 4 * december);
    CHECK(june / 20 / 14 > 5'000);
    CHECK(at_night == 0);
}

TEST_CASE("load: winter costs more than spring", "[sim]") {
    const Weather weather{1};
    std::int64_t january = 0, july = 0, low = 1000, high = -1000;
    const Instant year{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    for (IntervalNumber i = quarter(year); i < quarter(year + 24h * 365); ++i) {
        const auto temperature = weather.temperature(i);
        low = std::min(low, temperature);
        high = std::max(high, temperature);
        if (i < quarter(year + 24h * 31)) january += temperature;
        if (i >= quarter(year + 24h * 181) && i < quarter(year + 24h * 212)) july += temperature;
        CHECK(weather.sunshine(i) <= 1000);
    }
    CHECK(january / (31 * 96) < 50);
    CHECK(july / (31 * 96) > 150);
    CHECK(low > -250);
    CHECK(high < 400);
}

TEST_CASE("summary meter: is the sum of its meters, the loss of the lines and the theft, to the Wh",
          "[sim]") {
    const auto seed = GENERATE(range(1U, 9U));
    CAPTURE(seed);
    Street street{seed};
    street.customers[3]->supply().set(false, monday + 7h + 3min);  // someone is cut off and comes back
    street.customers[3]->supply().set(true, monday + 30h + 1min);
    Energies customers, loss_and_theft;
    for (IntervalNumber i = quarter(monday); i < quarter(monday + 48h); ++i) {
        Energies sum;
        for (const auto& customer : street.customers) sum += customer->during(i, SummaryLoad::whole);
        sum.channels[0] += street.summary->loss(i) + street.summary->theft(i);
        REQUIRE(street.summary->during(i, SummaryLoad::whole) == sum);
        REQUIRE(street.summary->loss(i) >= 0);
        customers += sum;
        loss_and_theft.channels[0] += street.summary->loss(i) + street.summary->theft(i);
    }
    CHECK(loss_and_theft.channels[0] * 100 > customers.channels[0] / 2);
    CHECK(loss_and_theft.channels[0] * 100 < customers.channels[0] * 60);
}

TEST_CASE("theft: some transformers have thieves, and only in the evening", "[sim]") {
    int with_thieves = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Street street{seed};
        std::int64_t evening = 0, morning = 0;
        for (int slot = 64; slot < 96; ++slot) evening += street.summary->theft(quarter(monday) + slot);
        for (int slot = 16; slot < 48; ++slot) morning += street.summary->theft(quarter(monday) + slot);
        CHECK(morning == 0);
        with_thieves += evening > 0 ? 1 : 0;
    }
    CHECK(with_thieves > 3);
    CHECK(with_thieves < 20);
}

TEST_CASE("load: within a quarter hour energy grows without steps back and ends at the whole", "[sim]") {
    Street street{4};
    street.customers[0]->supply().set(false, monday + 19h + 5min);
    street.customers[0]->supply().set(true, monday + 19h + 9min);
    for (const Load* load : {static_cast<const Load*>(street.customers[0].get()),
                             static_cast<const Load*>(street.summary.get())}) {
        Energies before;
        for (auto elapsed = 0s; elapsed <= 900s; elapsed += 7s) {
            const Energies now = load->during(quarter(monday + 19h), elapsed);
            for (std::size_t channel = 0; channel < 4; ++channel)
                REQUIRE(now.channels[channel] >= before.channels[channel]);
            before = now;
        }
    }
    const Load& cut = *street.customers[0];
    CHECK(cut.during(quarter(monday + 19h), 9min) == cut.during(quarter(monday + 19h), 5min));
    CHECK(cut.during(quarter(monday + 19h), SummaryLoad::whole) != cut.nominal(quarter(monday + 19h)));
    CHECK(street.customers[1]->during(quarter(monday), SummaryLoad::whole) ==
          street.customers[1]->nominal(quarter(monday)));
}
