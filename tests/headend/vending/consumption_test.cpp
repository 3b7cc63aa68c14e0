#include <catch2/catch.hpp>
#include <random>

#include "headend/vending/pricing/consumption.h"

using namespace wattmesh::headend::vending::pricing;

namespace {

/// 2.00 a kWh to 50 kWh, 3.50 above; VAT 15 %, a levy of 0.05.
Tariff home() {
    Tariff tariff{.id = {1}, .name = "Home", .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
    tariff.steps = {{Tenths{500}, {200'000}}, {std::nullopt, {350'000}}};
    tariff.levies = {{"fund", {5'000}, {}}};
    tariff.taxes = {{"VAT", {150'000}}};
    return tariff;
}

std::chrono::sys_days day(unsigned number) {
    return std::chrono::sys_days{std::chrono::year{2026} / 3 / number};
}

}  // namespace

TEST_CASE("consumption: a day goes up the month's steps where the day before ended", "[pricing]") {
    const auto tariff = home();
    const std::vector<DayUse> days{{day(1), 40'000, &tariff}, {day(2), 20'000, &tariff}};
    const auto priced = price_days(days, {});
    CHECK(priced[0].at({LineKind::energy, "Home"}) == Money{8'000});          // 40 kWh at 2.00
    CHECK(priced[1].at({LineKind::energy, "Home"}) == Money{2'000 + 3'500});  // 10 at 2.00, 10 at 3.50
    CHECK(priced[1].at({LineKind::levy, "fund"}) == Money{100});              // 20 at 0.05
    CHECK(priced[0].at({LineKind::tax, "VAT"}) == Money{1'230});              // 15 % of 80.00 and 2.00
}

TEST_CASE("consumption: what is free is free first, and counts towards the steps where the tariff says so",
          "[pricing]") {
    auto tariff = home();
    const std::vector<DayUse> days{{day(1), 50'000, &tariff}, {day(2), 20'000, &tariff}};
    const auto counted = price_days(days, Tenths{100});
    CHECK(counted[0].at({LineKind::energy, "Home"}) == Money{8'000});  // 40 of 50 kWh
    CHECK(counted[1].at({LineKind::energy, "Home"}) == Money{7'000});  // all above 50
    tariff.free_units_count = false;
    const auto apart = price_days(days, Tenths{100});
    CHECK(apart[1].at({LineKind::energy, "Home"}) == Money{2'000 + 3'500});  // 50 to 60 at 2.00 and above
    CHECK(price_days(days, Tenths{10'000})[0].empty());
}

TEST_CASE("consumption: however a month's use falls on its days, it costs what it costs at once",
          "[pricing]") {
    const auto tariff = home();
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 chance{seed};
    for (int round = 0; round < 200; ++round) {
        std::vector<DayUse> days;
        std::int64_t wh = 0;
        for (unsigned d = 1; d <= 31; ++d) {
            days.push_back({day(d), static_cast<std::int64_t>(chance() % 9'000), &tariff});
            wh += days.back().wh;
        }
        const Tenths free{static_cast<std::int64_t>(chance() % 300)};
        Money sum;
        for (const auto& parts : price_days(days, free)) sum += sum_of(parts);
        Money total;
        for (const auto& line : month_lines(tariff, free, Tenths{wh / 100})) total += line.amount;
        CHECK(sum == total);
    }
}

TEST_CASE("consumption: a version that comes in the middle of the month prices its own days", "[pricing]") {
    const auto before = home();
    auto after = home();
    after.name = "Home dear";
    after.steps = {{std::nullopt, {400'000}}};
    const std::vector<DayUse> days{{day(1), 40'000, &before}, {day(2), 20'000, &after}};
    const auto priced = price_days(days, {});
    CHECK(priced[0].at({LineKind::energy, "Home"}) == Money{8'000});
    CHECK(priced[1].at({LineKind::energy, "Home dear"}) == Money{8'000});
}

TEST_CASE("consumption: the difference to what was posted is posted, back where it is less", "[pricing]") {
    const Parts posted{{{LineKind::energy, "Home"}, {500}}, {{LineKind::tax, "VAT"}, {75}}};
    const Parts wanted{{{LineKind::energy, "Home"}, {300}}, {{LineKind::tax, "VAT"}, {75}}};
    CHECK(difference(wanted, posted) == Parts{{{LineKind::energy, "Home"}, {-200}}});
    CHECK(difference(posted, posted).empty());
    CHECK(difference({}, posted).size() == 2);
}

TEST_CASE("credit: what is due comes first, the rest goes to the account", "[pricing]") {
    auto tariff = home();
    tariff.charge_per_month = {1'000};
    const Standing standing{
        .month = {24'000}, .used = {}, .free_units = {50}, .charged_until = {23'999}, .debts = {}};
    const auto got = std::get<Quote>(credit(tariff, {{50}, {}}, standing, {5'000}, {-200}));
    CHECK(got.lines.size() == 4);  // fee, charge, its tax, credit
    CHECK(got.lines.back().kind == LineKind::credit);
    CHECK(got.lines.back().amount == Money{5'000 - 50 - 1'000 - 150});
    CHECK(got.lines.back().balance == Money{3'800 - 200});
    CHECK(got.units == Tenths{});
    CHECK(std::get<Refusal>(credit(tariff, {{50}, {}}, standing, {1'200}, {})) == Refusal::tender_too_small);
    CHECK(least_credit(tariff, {{50}, {}}, standing) == Money{1'201});
}
