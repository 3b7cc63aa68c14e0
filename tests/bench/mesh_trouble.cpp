#include <algorithm>
#include <cstdio>

#include "tests/bench/mesh_phases.h"

namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
enum Stream : std::uint64_t { victims = 1'200, power_back };

constexpr int victims_max = 8;
constexpr std::size_t affected_max = 20;
constexpr Duration read_again = 5s;

}  // namespace

/// One relay after the other dies; the meters behind it are read at once.
void Run::repair() {
    std::map<std::size_t, std::vector<std::size_t>> behind;
    for (std::size_t i = 0; i < town_.layout.meters.size(); ++i) {
        const auto relays = route(i);
        if (!relays) continue;
        for (const auto relay : *relays) behind[relay].push_back(i);
    }
    for (int n = 0; n < victims_max && !behind.empty(); ++n) {
        auto chosen = behind.begin();
        std::advance(chosen,
                     sim::keyed(static_cast<std::uint64_t>(seed_), victims, static_cast<std::uint64_t>(n)) %
                         behind.size());
        kill_relay(chosen->first, chosen->second);
        behind.erase(chosen);
    }
    if (affected_ > 0)
        outcome_[Metric::repair_in_transaction] =
            static_cast<double>(in_transaction_) / static_cast<double>(affected_);
    outcome_[Metric::repair_s_p99] = quantile(repairs_s_, 0.99);
}

void Run::kill_relay(std::size_t victim, const std::vector<std::size_t>& affected) {
    town_.field->kill(test::meter_number(victim));
    reachable();
    const Instant fault = town_.now();
    std::set<std::size_t> unread;
    for (const auto meter : affected)
        if (tree_.reaches(meter) && unread.size() < affected_max) unread.insert(meter);
    affected_ += unread.size();
    std::set<std::size_t> failed;
    finished_ = [&](std::size_t meter, bool good, Instant, Instant at) {
        if (good) {
            in_transaction_ += failed.contains(meter) ? 0 : 1;
            repairs_s_.push_back(seconds(at - fault));
            unread.erase(meter);
        } else {
            failed.insert(meter);
            want(meter);
        }
    };
    for (const auto meter : unread) want(meter);
    refill(town_.now());
    run_to(fault + 600s, [&] { return unread.empty(); });
    for (std::size_t i = 0; i < unread.size(); ++i) repairs_s_.push_back(600);  // never within ten minutes
    stop_reading();
    town_.field->revive(test::meter_number(victim));
    run_to(town_.now() + 120s);
}

/// The whole town dark for a minute, the concentrator restarted from what it kept.
void Run::warm() {
    const auto meters = town_.layout.meters.size();
    const Buffer kept = baseline_ ? Buffer{} : town_.roots[0]->save_state();
    for (std::size_t i = 0; i < meters; ++i) town_.field->kill(test::meter_number(i));
    town_.field->kill(test::concentrator_number(0));
    run_to(town_.now() + 60s);
    if (!baseline_) town_.start_root(0, options_.rate, kept);
    const Instant on = town_.now();
    town_.field->revive(test::concentrator_number(0));
    std::multimap<Duration, std::size_t> back;
    for (std::size_t i = 0; i < meters; ++i)
        back.emplace(Duration{static_cast<std::int64_t>(
                         sim::keyed(static_cast<std::uint64_t>(seed_), power_back, i) % 3'000'000)},
                     i);
    for (const auto& [after, meter] : back) {
        run_to(on + after);
        town_.field->revive(test::meter_number(meter));
    }
    run_to(on + 3s);
    const auto list = reachable();
    std::set<std::size_t> unread(list.begin(), list.end());
    finished_ = [&](std::size_t meter, bool good, Instant, Instant at) {
        if (!good || unread.erase(meter) == 0) return;
        const auto share = 1 - static_cast<double>(unread.size()) / static_cast<double>(list.size());
        for (const auto& [metric, least] :
             {std::pair{Metric::warm_t95_s, 0.95}, std::pair{Metric::warm_t100_s, 1.0}})
            if (share >= least && !outcome_[metric]) outcome_[metric] = seconds(at - on);
    };
    joined_ = [&](std::size_t meter) {
        if (unread.contains(meter)) want(meter);
    };
    Instant next = town_.now();
    run_to(on + patience_, [&] {
        if (town_.now() < next) return unread.empty();
        next = town_.now() + read_again;  // who said nothing of itself is asked
        for (const auto meter : unread) want(meter);
        refill(town_.now());
        return unread.empty();
    });
    stop_reading();
}

void Run::tell_airtime(const char* phase) {
    std::fprintf(stderr, "seed %d %s, %.0f s:%s\n", seed_, phase, seconds(town_.now() - told_at_),
                 describe(watch_.profile()).c_str());
    told_at_ = town_.now();
}

}  // namespace wattmesh::bench
