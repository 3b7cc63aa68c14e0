#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "headend/validation/rules.h"
#include "terminal-sim/meter/chance.h"
#include "terminal-sim/meter/load.h"

using namespace wattmesh;
using namespace wattmesh::headend::validation;

namespace {

constexpr int meters = 1'000, days = 30, intervals = 96;
constexpr std::uint64_t seed = 77;  // another town than the one from which household() was taken
/// 2026-03-01 00:00 UTC.
const Instant first_day{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

struct Customer {
    sim::LoadKind kind{};
    MeterClass limits;
    std::vector<std::int64_t> import_wh, reactive_varh;  ///< of all days and the one before
};

/// Eighty-five households, eleven shops and four factories in a hundred, as in the simulated town.
Customer make_customer(int i) {
    const auto percent = sim::draw(seed, 1, static_cast<std::uint64_t>(i)) % 100;
    Customer customer{percent < 85   ? sim::LoadKind::household
                      : percent < 96 ? sim::LoadKind::shop
                                     : sim::LoadKind::factory,
                      {},
                      {},
                      {}};
    customer.limits = customer.kind == sim::LoadKind::factory     ? large_customer()
                      : customer.kind == sim::LoadKind::household ? household()
                                                                  : MeterClass{};
    const auto number = DeviceNumber::parse(std::to_string(540'000'000'001 + i)).value();
    const sim::CustomerLoad load{seed, number, customer.kind, false};
    const auto begin = epoch_us(first_day) / 1'000'000 / sim::interval_s - intervals;
    for (int k = 0; k < (days + 1) * intervals; ++k) {
        const auto energies = load.nominal(begin + k);
        customer.import_wh.push_back(energies.channels[0]);
        customer.reactive_varh.push_back(energies.channels[2]);
    }
    return customer;
}

MeterDay day_of(const Customer& customer, int day) {
    MeterDay made{.from = first_day + std::chrono::hours{24} * day, .import_wh = {}};
    const auto begin = static_cast<std::size_t>((day + 1) * intervals);
    std::int64_t sum = 0;
    for (std::size_t k = begin; k < begin + intervals; ++k) {
        made.import_wh.emplace_back(customer.import_wh[k]);
        made.reactive_varh.emplace_back(customer.reactive_varh[k]);
        sum += customer.import_wh[k];
    }
    made.before_wh = customer.import_wh[begin - 1];
    made.same_before = 1;
    for (auto k = begin - 1; k-- > 0 && customer.import_wh[k] == *made.before_wh;) ++made.same_before;
    // Every fifth register rolls over within the day, which is no fault.
    const auto capacity = customer.limits.register_capacity_wh;
    made.register_from_wh =
        sim::draw(seed, 2, begin, static_cast<std::uint64_t>(sum)) % 5 == 0 ? capacity - sum / 2 : 70'000'000;
    made.register_to_wh = (*made.register_from_wh + sum) % capacity;
    return made;
}

/// Puts one fault of a rule into the day. `chance` is used up from its low end.
void break_day(MeterDay& day, Rule rule, const MeterClass& limits, std::uint64_t chance) {
    const auto take = [&](std::int64_t low, std::int64_t high) {
        chance = sim::scatter(chance);
        return sim::within(chance, low, high);
    };
    const auto most = limits.power_max_w / 4 * (100 + limits.tolerance_percent) / 100;
    const auto at = static_cast<std::size_t>(take(0, intervals - 1));
    auto& value = day.import_wh[at];
    const auto span = [&](std::size_t first, std::size_t count) {
        return Span{day.from + first * day.period, day.from + (first + count) * day.period};
    };
    switch (rule) {
        case Rule::gap:
            for (auto k = at;
                 k < std::min<std::size_t>(at + static_cast<std::size_t>(take(1, 12)), intervals); ++k)
                day.import_wh[k].reset();
            break;
        case Rule::range:
            value = most + take(1, most);
            break;
        case Rule::negative:
            value = -take(1, 500);
            break;
        case Rule::spike: {
            auto sorted = day.import_wh;
            std::ranges::sort(sorted, std::greater{});
            value = *sorted[1] * (100 + limits.spike_percent) / 100 + limits.spike_wh_min + take(1, 400);
            break;
        }
        case Rule::jump: {
            const auto before = at == 0 ? *day.before_wh : *day.import_wh[at - 1];
            value = std::max(limits.jump_wh_min, before * (100 + limits.jump_percent) / 100) + take(1, 300);
            break;
        }
        case Rule::sum_check: {
            std::int64_t sum = 0;
            for (const auto& each : day.import_wh) sum += *each;
            *value += sum / 1000 + take(3, 400);
            break;
        }
        case Rule::register_backwards:
            // After a meter was reset or exchanged without a word.
            day.register_from_wh = 500'000'000 + take(0, 100'000'000);
            day.register_to_wh = take(0, 100'000'000);
            break;
        case Rule::zero_run:
            for (auto& each : day.import_wh) each = 0;
            day.before_wh = 0;
            day.same_before = static_cast<int>(take(1, 7 * intervals));
            break;
        case Rule::frozen: {
            const auto first = static_cast<std::size_t>(take(0, intervals - 20));
            const auto same = take(1, 400);
            for (auto k = first; k < first + static_cast<std::size_t>(take(limits.frozen_count, 20)); ++k)
                day.import_wh[k] = same;
            break;
        }
        case Rule::usage_while_off: {
            const auto first = static_cast<std::size_t>(take(0, intervals - 24));
            day.off.push_back(span(first, 24));
            for (auto k = first; k < first + 24; ++k) day.import_wh[k] = *day.import_wh[k] + 10;
            break;
        }
        case Rule::power_factor:
            value = most / 10 + take(1, most / 4);
            day.reactive_varh[at] = *value * take(4, 9);
            break;
        case Rule::outage_agreement:
            day.dark.push_back(span(at, static_cast<std::size_t>(take(1, 8))));
            value = take(1, 400);
            break;
        case Rule::clock_set: {
            const auto jump = std::chrono::seconds{take(60, 900)};
            const Instant from = day.from + at * day.period + std::chrono::seconds{take(1, 899)};
            day.clock_set.push_back({from, from + jump});
            break;
        }
        case Rule::high:
        case Rule::low:
            break;
    }
}

}  // namespace

TEST_CASE(
    "validation: on 1000 meters and 30 days each rule finds 99 % of its faults and cries wolf in 0.1 % at "
    "most",
    "[validation]") {
    std::map<Rule, int> planted, found, false_days;
    int clean = 0;
    for (int i = 0; i < meters; ++i) {
        const auto customer = make_customer(i);
        for (int d = 0; d < days; ++d) {
            auto day = day_of(customer, d);
            const auto chance =
                sim::draw(seed, 3, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(d));
            std::optional<Rule> fault;
            if (chance % 10 == 0) fault = static_cast<Rule>((chance >> 8) % 13);
            if (fault) break_day(day, *fault, customer.limits, chance >> 16);
            std::set<Rule> told;
            for (const auto& finding : validate(day, customer.limits)) told.insert(finding.rule);
            if (fault) {
                ++planted[*fault];
                found[*fault] += told.contains(*fault) ? 1 : 0;
                continue;
            }
            ++clean;
            for (const auto rule : told) ++false_days[rule];
        }
    }
    REQUIRE(clean > 26'000);
    for (int r = 0; r < 13; ++r) {
        const auto rule = static_cast<Rule>(r);
        CAPTURE(to_string(rule), planted[rule], found[rule], false_days[rule], clean);
        CHECK(planted[rule] > 150);
        CHECK(found[rule] * 100 >= planted[rule] * 99);
        CHECK(false_days[rule] * 1000 <= clean);
    }
}

TEST_CASE(
    "validation: of 1000 meters whose month doubled or fell to a third all are named, and hardly any other",
    "[validation]") {
    int wrong = 0, missed = 0;
    for (int i = 0; i < meters; ++i) {
        const auto customer = make_customer(i);
        std::int64_t reference = 0, average = 0;
        for (int k = 0; k < days / 2 * intervals; ++k) {
            reference += customer.import_wh[static_cast<std::size_t>(k)];
            average += customer.import_wh[static_cast<std::size_t>(k + days / 2 * intervals)];
        }
        reference /= days / 2;
        average /= days / 2;
        wrong += validate_average(average, reference, customer.limits) ? 1 : 0;
        const auto high = validate_average(reference * 21 / 10, reference, customer.limits);
        const auto low = validate_average(reference / 3, reference, customer.limits);
        missed += high && high->rule == Rule::high && low && low->rule == Rule::low ? 0 : 1;
    }
    CHECK(missed == 0);
    CHECK(wrong <= 1);
}
