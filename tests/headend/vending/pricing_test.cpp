#include <catch2/catch.hpp>
#include <random>

#include "headend/vending/pricing/quote.h"

namespace wattmesh::headend::vending::pricing {
namespace {

/// The numbers of the examples: month 24311 is December 2025.
constexpr Month month{24'311};
Standing standing(std::int64_t used = 0) {
    return {.month = month, .used = {used}, .free_units = {}, .charged_until = month, .debts = {}};
}
/// 2.00 a kWh to 50 kWh, 3.50 to 350 kWh, 5.25 above; VAT 15 %.
Tariff blocks() {
    Tariff tariff{.id = {7}, .name = "Home", .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
    tariff.steps = {{Tenths{500}, {200'000}}, {Tenths{3'500}, {350'000}}, {std::nullopt, {525'000}}};
    tariff.taxes = {{"VAT", {150'000}}};
    return tariff;
}
Quote bought(const Answer& answer) {
    REQUIRE(std::holds_alternative<Quote>(answer));
    return std::get<Quote>(answer);
}
Quote buy(const Tariff& tariff, const Standing& stands, std::int64_t tender, const Fee& fee = {}) {
    return bought(quote(tariff, fee, stands, {tender}));
}

/// Exact fractions of a coin, by another way than the engine's: numerator over 10^10.
__extension__ using Wide = __int128;
constexpr Wide one = 10'000'000'000;
Wide half_up(Wide fraction) { return (2 * fraction + one) / (2 * one); }

/// What `units` cost, by overlaps of ranges instead of a walk.
Wide cost_by_overlap(const Tariff& tariff, std::int64_t used, std::int64_t units) {
    Wide energy = 0;
    std::int64_t from = 0;
    for (const auto& step : tariff.steps) {
        const std::int64_t to = step.up_to ? step.up_to->count : used + units;
        const auto overlap = std::max<std::int64_t>(0, std::min(to, used + units) - std::max(from, used));
        energy += Wide{overlap} * step.price.mills * (one / 10'000);
        from = std::max(from, to);
    }
    const Wide paid = half_up(energy);
    Wide levies = 0, taxes = 0;
    for (const auto& levy : tariff.levies)
        levies += half_up(Wide{units} * levy.per_unit.mills * (one / 10'000)) +
                  half_up(paid * levy.share.ppm * (one / 1'000'000));
    for (const auto& tax : tariff.taxes)
        taxes += half_up((tax.on_levies ? paid + levies : paid) * tax.share.ppm * (one / 1'000'000));
    return paid + levies + taxes;
}

/// Chance with its own arithmetic, the same everywhere.
struct Dice {
    explicit Dice(std::uint64_t seed) : engine(seed) {}
    std::int64_t upto(std::int64_t most) {
        return static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(most + 1));
    }
    std::mt19937_64 engine;
};

Tariff any_tariff(Dice& dice) {
    Tariff tariff{.id = {1}, .name = "any", .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
    std::int64_t reach = 0;
    for (auto steps = dice.upto(3); steps > 0; --steps)
        tariff.steps.push_back({Tenths{reach += 1 + dice.upto(2'000)}, {10'000 + dice.upto(900'000)}});
    tariff.steps.push_back({std::nullopt, {10'000 + dice.upto(900'000)}});
    for (auto levies = dice.upto(2); levies > 0; --levies)
        tariff.levies.push_back(
            {"levy", {dice.upto(20'000)}, {static_cast<std::int32_t>(dice.upto(50'000))}});
    for (auto taxes = dice.upto(3); taxes > 0; --taxes)
        tariff.taxes.push_back(
            {"tax", {static_cast<std::int32_t>(dice.upto(250'000))}, dice.upto(1) == 1, dice.upto(1) == 1});
    tariff.charge_per_month = {dice.upto(1) * dice.upto(5'000)};
    tariff.charge_months_max = static_cast<int>(1 + dice.upto(5));
    tariff.debts_before_charges = dice.upto(1) == 1;
    tariff.free_units_count = dice.upto(1) == 1;
    return tariff;
}

Standing any_standing(Dice& dice) {
    Standing stands = standing(dice.upto(1) * dice.upto(6'000));
    stands.free_units = {dice.upto(1) * 500};
    stands.charged_until = {month.value - static_cast<std::int32_t>(dice.upto(8))};
    for (auto debts = dice.upto(3); debts > 0; --debts) {
        Debt debt{.id = {debts},
                  .name = "debt",
                  .original = {dice.upto(50'000)},
                  .balance = {},
                  .share = {static_cast<std::int32_t>(dice.upto(400'000))},
                  .floor = {dice.upto(500)},
                  .instalment = {dice.upto(2'000)},
                  .first_month = {month.value - static_cast<std::int32_t>(dice.upto(12))},
                  .last_month = {}};
        debt.recovery = static_cast<Recovery>(dice.upto(3));
        debt.cap = {debt.floor.minor + dice.upto(20'000)};
        debt.balance = {dice.upto(debt.original.minor)};
        if (dice.upto(1) == 1) debt.last_month = Month{month.value - static_cast<std::int32_t>(dice.upto(1))};
        stands.debts.push_back(debt);
    }
    return stands;
}

}  // namespace

TEST_CASE("pricing: a flat tariff, its tax and its rounding", "[vending]") {
    auto tariff = blocks();
    tariff.steps = {{std::nullopt, {257'310}}};  // 2.5731 a kWh
    // 100.00 at 15 %: 33.7 kWh cost 86.71 (8671.347), VAT 13.01 (1300.65); 33.8 kWh would be 86.97 + 13.05
    const auto quote = buy(tariff, standing(), 10'000);
    CHECK(quote.units == Tenths{337});
    CHECK(quote.sum(LineKind::energy) == Money{8'671});
    CHECK(quote.sum(LineKind::tax) == Money{1'301});
    CHECK(quote.sum(LineKind::rounding) == Money{28});
}

TEST_CASE("pricing: blocks go on from what the month has bought, and each has its line", "[vending]") {
    // 45 kWh were bought: 5 kWh at 2.00 = 10.00, then 3.50; 100.00 / 1.15 = 86.95 net
    const auto quote = buy(blocks(), standing(450), 10'000);
    REQUIRE(quote.lines.size() >= 3);
    CHECK(quote.lines[0].units == Tenths{50});
    CHECK(quote.lines[0].amount == Money{1'000});
    CHECK(quote.lines[1].units == Tenths{219});  // 76.65; 22.0 kWh would be 77.00 + 13.05 > 100.00
    CHECK(quote.lines[1].price == Price{350'000});
    CHECK(quote.units == Tenths{269});
    // above 350 kWh there is one price
    CHECK(buy(blocks(), standing(3'500), 6'038).units == Tenths{100});  // 52.50 + 7.88 (7.875)
    CHECK(std::get<Refusal>(pricing::quote(blocks(), {}, standing(3'500), {60})) ==
          Refusal::tender_too_small);
}

TEST_CASE("pricing: levies, several taxes, and what each is on", "[vending]") {
    Tariff tariff = blocks();
    tariff.steps = {{std::nullopt, {100'000}}};  // 1.00
    tariff.levies = {{"streetlight", {5'000}, {}}, {"fund", {}, {20'000}}};
    tariff.taxes = {{"VAT", {100'000}, true, true}, {"TV", {50'000}, false, false}};
    // 100 kWh: energy 100.00, streetlight 5.00, fund 2.00, VAT 10.70, TV 5.00
    const auto quote = buy(tariff, standing(), 12'270);
    CHECK(quote.units == Tenths{1'000});
    CHECK(quote.sum(LineKind::levy) == Money{700});
    CHECK(quote.sum(LineKind::tax) == Money{1'570});
    CHECK(quote.sum(LineKind::rounding) == Money{});
    CHECK(buy(tariff, standing(), 12'269).units == Tenths{999});
}

TEST_CASE("pricing: months without purchase owe their charge, at most so many", "[vending]") {
    Tariff tariff = blocks();
    tariff.charge_per_month = {1'000};
    tariff.charge_months_max = 3;
    auto stands = standing();
    CHECK(buy(tariff, stands, 10'000).sum(LineKind::charge) == Money{});
    stands.charged_until = {month.value - 2};
    const auto two = buy(tariff, stands, 10'000);
    CHECK(two.sum(LineKind::charge) == Money{2'000});
    CHECK(two.lines[0].name == "2 months");
    CHECK(two.lines[1].amount == Money{300});  // VAT
    stands.charged_until = {month.value - 9};
    CHECK(buy(tariff, stands, 10'000).sum(LineKind::charge) == Money{3'000});
    tariff.taxes[0].on_charges = false;
    CHECK(buy(tariff, stands, 10'000).lines[1].kind == LineKind::energy);
    CHECK(std::get<Refusal>(quote(tariff, {}, stands, {3'000})) == Refusal::tender_too_small);
}

TEST_CASE("pricing: arrears are recovered in their modes, in their order", "[vending]") {
    auto stands = standing();
    Debt debt{.id = {3},
              .name = "2024",
              .original = {50'000},
              .balance = {40'000},
              .share = {250'000},
              .floor = {},
              .instalment = {1'500},
              .first_month = {month.value - 8},
              .last_month = {}};
    const auto collected = [&](std::int64_t tender = 10'000) {
        stands.debts = {debt};
        return buy(blocks(), stands, tender).sum(LineKind::debt);
    };
    SECTION("a share, with a floor and a cap, never more than is owed") {
        CHECK(collected() == Money{2'500});
        debt.floor = {3'000};
        CHECK(collected() == Money{3'000});
        debt.floor = {};
        debt.cap = {700};
        CHECK(collected() == Money{700});
        debt.cap = money_max;
        debt.balance = {123};
        CHECK(collected() == Money{123});
        CHECK(buy(blocks(), stands, 10'000).lines[0].balance == Money{});
    }
    SECTION("instalments, of months missed too") {
        debt.recovery = Recovery::instalment;
        CHECK(collected() == Money{3'500});  // nine months of 15.00, less the 100.00 that were paid
        debt.balance = {36'500};
        CHECK(collected() == Money{});
    }
    SECTION("with the first purchase of a month") {
        debt.recovery = Recovery::first_of_month;
        CHECK(collected() == Money{1'500});
        debt.last_month = month;
        CHECK(collected() == Money{});
        debt.last_month = Month{month.value - 3};
        CHECK(collected() == Money{1'500});
    }
    SECTION("everything first") {
        debt.recovery = Recovery::full;
        CHECK(collected(50'000) == Money{40'000});
        CHECK(std::get<Refusal>(quote(blocks(), {}, stands, {40'000})) == Refusal::tender_too_small);
    }
    SECTION("several: each takes of what the one before left, behind the fee") {
        auto second = debt;
        second.share = {100'000};
        stands.debts = {debt, second};
        const auto quote = buy(blocks(), stands, 10'000, {{100}, {10'000}});
        CHECK(quote.sum(LineKind::fee) == Money{199});  // 1.00, and 1 % of 99.00
        CHECK(quote.lines[2].amount == Money{2'450});   // a quarter of 98.01
        CHECK(quote.lines[3].amount == Money{735});     // a tenth of 73.51
    }
}

TEST_CASE("pricing: free units take their place in the blocks where the tariff says so", "[vending]") {
    auto stands = standing();
    stands.free_units = {500};
    auto tariff = blocks();
    const auto counted = buy(tariff, stands, 10'000);
    CHECK(counted.free_units == Tenths{500});
    CHECK(counted.lines[0].price == Price{350'000});
    tariff.free_units_count = false;
    CHECK(buy(tariff, stands, 10'000).lines[0].price == Price{200'000});
}

TEST_CASE("pricing: refuses what no token carries and what the tariff does not take", "[vending]") {
    auto tariff = blocks();
    tariff.tender_min = {500};
    tariff.tender_max = {1'000'000};
    CHECK(std::get<Refusal>(quote(tariff, {}, standing(), {499})) == Refusal::tender_too_small);
    CHECK(std::get<Refusal>(quote(tariff, {}, standing(), {1'000'001})) == Refusal::tender_too_large);
    tariff.tender_max = money_max;
    tariff.steps = {{std::nullopt, {1}}};
    CHECK(std::get<Refusal>(quote(tariff, {}, standing(), {100'000'000})) == Refusal::too_many_units);
    CHECK_FALSE(least_tender(tariff, {}, standing(), {}));
    CHECK_FALSE(least_tender(tariff, {}, standing(), {18'201'625}));
}

TEST_CASE("pricing: a wrong tariff is named", "[vending]") {
    const auto fault = [](auto&& spoil) {
        auto tariff = blocks();
        spoil(tariff);
        return fault_of(tariff).value_or("none").substr(0, 5);
    };
    CHECK(fault([](Tariff&) {}) == "none");
    CHECK(fault([](Tariff& t) { t.steps.clear(); }) == "steps");
    CHECK(fault([](Tariff& t) { t.steps[1].up_to = Tenths{500}; }) == "steps");
    CHECK(fault([](Tariff& t) { t.steps[2].up_to = Tenths{9'000}; }) == "steps");
    CHECK(fault([](Tariff& t) { t.steps[0].price = {-1}; }) == "steps");
    CHECK(fault([](Tariff& t) { t.taxes[0].share = {1'000'001}; }) == "taxes");
    CHECK(fault([](Tariff& t) { t.charge_months_max = 0; }) == "charg");
    CHECK(fault([](Tariff& t) { t.tender_min = {}; }) == "tende");
}

TEST_CASE("pricing: 100 000 random sales add up, and no tenth more would have been paid", "[vending]") {
    constexpr std::uint64_t seed = 20261123;
    Dice dice{seed};
    int sold = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto tariff = any_tariff(dice);
        const auto stands = any_standing(dice);
        const Fee fee{{dice.upto(1) * dice.upto(200)},
                      {static_cast<std::int32_t>(dice.upto(1) * dice.upto(50'000))}};
        const Money tender{1 + dice.upto(200'000)};
        const auto answer = quote(tariff, fee, stands, tender);
        if (!std::holds_alternative<Quote>(answer)) continue;
        ++sold;
        const auto& quote = std::get<Quote>(answer);
        Money sum, left = tender;
        Tenths units;
        bool energy = false;
        for (const auto& line : quote.lines) {
            sum += line.amount;
            energy = energy || line.kind == LineKind::energy;
            if (!energy) left -= line.amount;
            if (line.kind == LineKind::energy) units = units + line.units;
            if (line.amount < Money{}) FAIL("a line takes money back, sale " << i);
        }
        const auto used = stands.used.count + (tariff.free_units_count ? stands.free_units.count : 0);
        const bool right =
            sum == tender && units == quote.units &&
            cost_by_overlap(tariff, used, units.count) + quote.sum(LineKind::rounding).minor == left.minor &&
            cost_by_overlap(tariff, used, units.count + 1) > left.minor;
        if (!right) FAIL("sale " << i << " of seed " << seed);
    }
    CHECK(sold > 50'000);
}

TEST_CASE("pricing: the least tender for some units buys them, and a coin less does not", "[vending]") {
    constexpr std::uint64_t seed = 7;
    Dice dice{seed};
    int asked = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto tariff = any_tariff(dice);
        const auto stands = any_standing(dice);
        const Fee fee{{dice.upto(200)}, {static_cast<std::int32_t>(dice.upto(50'000))}};
        const Tenths units{1 + dice.upto(9'000)};
        const auto tender = least_tender(tariff, fee, stands, units);
        if (!tender) FAIL("no tender for sale " << i << " of seed " << seed);
        const auto answer = quote(tariff, fee, stands, *tender);
        const auto less = quote(tariff, fee, stands, *tender - Money{1});
        const bool right = std::holds_alternative<Quote>(answer) && std::get<Quote>(answer).units == units &&
                           (!std::holds_alternative<Quote>(less) || std::get<Quote>(less).units < units);
        if (!right) FAIL("sale " << i << " of seed " << seed);
        ++asked;
    }
    CHECK(asked == 20'000);
}

}  // namespace wattmesh::headend::vending::pricing
