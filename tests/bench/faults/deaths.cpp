#include <algorithm>

#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"

/// A1, A2, A3: radios that fall silent.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
enum Stream : std::uint64_t { chosen_to_die = 1'400 };
constexpr Duration patience = 1'800s;

std::vector<std::size_t> far_suburb() {
    std::vector<std::size_t> meters;
    for (std::size_t i = 0; i < suburb; ++i) meters.push_back(suburb + i);
    return meters;
}

std::vector<std::size_t> a_fifth(Scene& scene, std::uint64_t seed, bool with_most_below) {
    std::vector<std::size_t> order, below(scene.size(), 0);
    for (std::size_t i = 0; i < scene.size(); ++i) {
        order.push_back(i);
        for (const auto relay : scene.relays_of(i)) ++below[relay];
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto key = [&](std::size_t i) {
            return std::pair{with_most_below ? scene.size() - below[i] : 0,
                             sim::keyed(seed, chosen_to_die, i)};
        };
        return key(a) < key(b);
    });
    order.resize(scene.size() / 5);
    return order;
}

Verdict a_fifth_dies(const char* name, sim::LayoutKind kind, std::size_t meters, std::uint64_t seed,
                     bool with_most_below) {
    Scene scene{town_of(kind, meters, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    const auto dead = a_fifth(scene, seed, with_most_below);
    const std::set<std::size_t> gone(dead.begin(), dead.end());
    std::vector<std::size_t> behind, others;
    for (std::size_t i = 0; i < scene.size(); ++i) {
        if (gone.contains(i)) continue;
        const auto relays = scene.relays_of(i);
        const bool hit = std::any_of(relays.begin(), relays.end(), [&](auto r) { return gone.contains(r); });
        (hit ? behind : others).push_back(i);
    }
    for (const auto meter : dead) scene.kill(meter);
    const auto still = scene.reachable();
    const std::set<std::size_t> connected(still.begin(), still.end());
    const auto cut = [&](std::size_t meter) { return !connected.contains(meter); };
    std::erase_if(behind, cut);
    std::erase_if(others, cut);
    auto order = behind;
    order.insert(order.end(), others.begin(), others.end());
    const auto control_before = scene.watch.control();
    scene.watch.profile();
    const Instant fault = scene.town.now();
    std::optional<double> control_share, channel_share;
    scene.on_event = [&](const concentrator::MeshEvent&, Instant at) {
        if (control_share || at - fault < 60s) return;
        Duration all{};
        for (const auto& share : scene.watch.profile()) all += share.airtime;
        const double control = in_seconds(scene.watch.control() - control_before);
        control_share = control / std::max(in_seconds(all), 1e-6);
        channel_share = control / 60;
    };
    const Reads reads = scene.read(order, 600s);
    Reads hit;
    for (const auto meter : behind) hit.of[meter] = reads.of.at(meter);
    scene.on_event = {};
    Verdict verdict;
    verdict.variant = name;
    verdict.add("survivors_connected", order.size()).add("behind_the_dead", behind.size());
    verdict.add("behind_readable_60s", hit.share_within(60)).add("readable_60s", reads.share_within(60));
    verdict.add("readable_180s", reads.share_within(180)).add("all_read_s", reads.last_s());
    verdict.add("first_read_success", reads.share_first());
    verdict.add("control_share_first_minute", control_share);
    verdict.add("control_airtime_of_first_minute", channel_share);
    verdict.must(hit.share_within(60) >= 0.99,
                 "less than 99 % of those behind the dead were read within 60 s");
    verdict.must(reads.share_within(180) >= 1, "not all connected survivors were read within 180 s");
    verdict.must(control_share.value_or(0) <= 0.25, "control took more than a quarter of the first minute");
    return verdict;
}

}  // namespace

std::vector<Verdict> bridge_dies(std::uint64_t seed) {
    Scene scene{bridged_suburbs(seed), seed};
    Verdict verdict;
    verdict.add("formed_s", scene.form(patience));
    const auto far = far_suburb();
    scene.read_once(scene.reachable());
    scene.kill(bridge_first);
    const Instant first_kill = scene.town.now();
    const Reads after_first = scene.read_once(far);
    while (scene.town.now() < first_kill + 600s) scene.run_for(first_kill + 600s - scene.town.now());
    scene.lost.clear();
    scene.lost_events = 0;
    const auto addresses_before = scene.deleted().size();
    std::size_t outages = 0;
    scene.on_event = [&](const concentrator::MeshEvent& event, Instant) {
        outages += std::holds_alternative<concentrator::MeshOutage>(event) ? 1 : 0;
    };
    scene.kill(bridge_last);
    const Instant second_kill = scene.town.now();
    Reads last;
    while (scene.town.now() < second_kill + 3'600s) {
        const Instant round = scene.town.now();
        last = scene.read_once(far);
        const Instant next = std::min(round + 900s, second_kill + 3'600s);
        if (scene.town.now() < next) scene.run_for(next - scene.town.now());
    }
    const auto deletions = scene.deleted().size() - addresses_before;
    std::size_t still_joined = 0;
    for (const auto& node : scene.town.roots[0]->topology())
        if (const auto meter = meter_of(node.number, scene.size());
            meter && *meter >= suburb && node.state == dcu::NodeState::joined)
            still_joined += last.of.contains(*meter) && last.of.at(*meter).first ? 0 : 1;
    scene.on_event = {};
    scene.revive(bridge_first);
    scene.revive(bridge_last);
    const Reads back = scene.read(far, 900s);
    const auto unread = static_cast<std::size_t>(std::count_if(
        after_first.of.begin(), after_first.of.end(), [](const auto& o) { return !o.second.first; }));
    verdict.add("reads_lost_after_first", unread).add("outage_events", outages);
    verdict.add("dark_but_listed_as_joined", still_joined);
    // The channel changes, and the far suburb may be reached for a while over links that no plan has.
    verdict.add("answered_all_the_same", std::count_if(last.of.begin(), last.of.end(),
                                                       [](const auto& one) { return one.second.first; }));
    verdict.add("deletions", deletions).add("back_s", back.last_s());
    verdict.add("back_60s", back.share_within(60));
    verdict.must(unread == 0, "reads were lost when the first relay died");
    verdict.must(deletions == 0, "meters were deleted");
    verdict.must(back.share_within(60) >= 1, "not all were back 60 s after the relays came back");
    verdict.must(still_joined == 0, "after an hour of darkness meters still stand as joined");
    verdict.must(outages == 1, "not exactly one event");
    return {verdict};
}

std::vector<Verdict> fifth_dies(std::uint64_t seed) {
    using enum sim::LayoutKind;
    return {a_fifth_dies("U1000, at random", urban, 1'000, seed, false),
            a_fifth_dies("U1000, most below them", urban, 1'000, seed, true),
            a_fifth_dies("R300, at random", rural, 300, seed, false),
            a_fifth_dies("R300, most below them", rural, 300, seed, true)};
}

namespace {

std::set<std::size_t> hops_of_one(Scene& scene, bool whoever_is_in_reach) {
    scene.reachable();
    std::set<std::size_t> found;
    for (std::size_t i = 0; i < scene.size(); ++i)
        if (whoever_is_in_reach ? scene.oracle().usable(scene.size(), i) : scene.relays_of(i).empty())
            found.insert(i);
    return found;
}

std::size_t not_joined(const Scene& scene, const std::vector<std::size_t>& of) {
    std::size_t count = 0;
    for (const auto& node : scene.town.roots[0]->topology())
        if (const auto meter = meter_of(node.number, scene.size());
            meter && std::find(of.begin(), of.end(), *meter) != of.end() &&
            node.state != dcu::NodeState::joined)
            ++count;
    return count;
}

Verdict neighbourhood_dies(std::uint64_t seed, bool whoever_is_in_reach) {
    Scene scene{town_of(sim::LayoutKind::rural, 150, seed), seed};
    scene.form(patience);
    scene.read_once(scene.reachable());
    const auto root_x = scene.town.layout.concentrators[0].x_cm;
    const auto right = [&](std::size_t meter) { return scene.town.layout.meters[meter].x_cm > root_x; };
    const auto all_right = [&] {
        std::size_t count = 0;
        for (std::size_t i = 0; i < scene.size(); ++i) count += right(i) ? 1 : 0;
        return count;
    }();
    const bool side = 2 * all_right > scene.size();
    const auto first_hops = hops_of_one(scene, whoever_is_in_reach);
    const auto next_to_root = [&](std::size_t meter) { return first_hops.contains(meter); };
    std::vector<std::size_t> branch;
    std::size_t killed = 0;
    for (std::size_t i = 0; i < scene.size(); ++i)
        if (right(i) == side && scene.routed(i) && !next_to_root(i)) branch.push_back(i);
    for (std::size_t i = 0; i < scene.size(); ++i)
        if (right(i) == side && scene.routed(i) && next_to_root(i)) {
            scene.kill(i);
            ++killed;
        }
    const auto list = scene.reachable();
    const std::set<std::size_t> connected(list.begin(), list.end());
    std::vector<std::size_t> saved, cut;
    for (const auto meter : branch) (connected.contains(meter) ? saved : cut).push_back(meter);
    // Ranks of those who are cut off, every second while they are asked for ten minutes.
    std::map<std::size_t, std::uint16_t> rank_before;
    for (const auto meter : cut) rank_before[meter] = scene.town.field->node(meter)->rank();
    std::optional<Instant> first_gone, last_gone;
    double growth = 1;
    std::size_t still_attached = 0;
    Instant look = scene.town.now();
    scene.on_frame = [&](std::size_t, Bytes, Instant now) {
        if (now < look || cut.empty()) return;
        look = now + 1s;
        still_attached = 0;
        for (const auto meter : cut) {
            const auto* node = scene.town.field->node(meter);
            if (node->attached()) {
                ++still_attached;
                growth = std::max(
                    growth, static_cast<double>(node->rank()) / std::max<double>(rank_before[meter], 1));
            }
        }
        if (!first_gone && still_attached < cut.size()) first_gone = now;
        if (!last_gone && still_attached == 0) last_gone = now;
    };
    const Reads reads = scene.read(saved, 600s);
    scene.read(cut, 300s);
    scene.on_frame = {};
    const auto reported = not_joined(scene, cut);
    std::optional<double> poison_s;
    if (cut.empty()) poison_s = 0;
    if (first_gone && last_gone) poison_s = in_seconds(*last_gone - *first_gone);
    Verdict verdict;
    verdict.variant = whoever_is_in_reach ? "all within reach of the root" : "all with a route of one hop";
    verdict.add("killed", killed).add("branch_connected", saved.size()).add("branch_cut", cut.size());
    verdict.add("rehung_60s", reads.share_within(60)).add("rehung_s", reads.last_s());
    verdict.add("cut_reported", reported).add("poison_s", poison_s).add("rank_growth", growth);
    verdict.must(reads.unanswered() == 0, "a meter that the oracle still reaches was not read again");
    verdict.must(reported == cut.size(), "a meter that is cut off still stands as joined");
    verdict.must(poison_s && *poison_s <= 5,
                 "those who are cut off let go one after the other, over more than 5 s");
    return verdict;
}

}  // namespace

std::vector<Verdict> root_neighbourhood_dies(std::uint64_t seed) {
    return {neighbourhood_dies(seed, false), neighbourhood_dies(seed, true)};
}

}  // namespace wattmesh::bench
