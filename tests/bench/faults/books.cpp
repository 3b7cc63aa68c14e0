#include <algorithm>

#include "protocol/mesh/hop_security.h"
#include "tests/bench/faults/fault_case.h"
#include "tests/bench/faults/places.h"
#include "tests/bench/faults/scene.h"
#include "tests/bench/mesh_run.h"

/// A7, A8, A9, A13 and row 14: who is in whose books, and for how long they stay right.
namespace wattmesh::bench {
namespace {

using namespace std::chrono_literals;
constexpr Duration patience = 1'800s;

/// Frames of one sender under one net key: no counter may be used for two different ones.
class CounterWatch {
public:
    CounterWatch(Ciphers& ciphers, const Key128& key) : security_(ciphers, 1) { security_.set_key(key, 1); }
    void look(Bytes psdu) {
        if (mesh::is_ack(psdu)) return;
        const auto decoded = mesh::decode_mac(psdu);
        if (!decoded || !decoded->frame.secured) return;
        if (security_.verify(*decoded, {}) == mesh::HopSecurity::Verdict::not_authentic) return;
        const auto key = std::pair{decoded->frame.source, decoded->frame.counter};
        const auto [known, fresh] = seen_.emplace(key, decoded->mic);
        if (!fresh && known->second != decoded->mic) ++reused_;
    }
    std::size_t reused() const { return reused_; }
    std::size_t frames() const { return seen_.size(); }

private:
    mesh::HopSecurity security_;
    std::map<std::pair<std::uint16_t, std::uint32_t>, mesh::Mic> seen_;
    std::size_t reused_ = 0;
};

Verdict restored(std::uint64_t seed, bool old_state) {
    Scene scene{town_of(sim::LayoutKind::rural, 150, seed), seed};
    scene.form(patience);
    const auto round = scene.round_s();
    const auto key = scene.town.field->node(scene.reachable().front())->state().net_key;
    CounterWatch counters{scene.town.ciphers, key.value()};
    scene.on_frame = [&](std::size_t, Bytes psdu, Instant) { counters.look(psdu); };
    const Buffer old = scene.town.roots[0]->save_state();
    // A day: reads, and ten meters that were taken off the list and put on it again: other addresses.
    std::vector<std::pair<DeviceNumber, Key128>> all;
    for (std::size_t i = 0; i < scene.size(); ++i)
        all.emplace_back(test::meter_number(i), test::join_key(seed, i));
    scene.town.roots[0]->set_meters({all.begin() + 10, all.end()});
    scene.run_for(600s);
    scene.town.roots[0]->set_meters(all);
    for (int hour = 0; hour < 24; ++hour) {
        const Instant began = scene.town.now();
        scene.read_once(scene.reachable());
        if (scene.town.now() < began + 3'600s) scene.run_for(began + 3'600s - scene.town.now());
    }
    const Buffer recent = scene.town.roots[0]->save_state();
    const auto joins = scene.town.field->node_counters().joins;
    scene.town.roots[0].reset();
    scene.run_for(30s);
    scene.town.start_root(0, mesh::PhyRate::kbit50, old_state ? old : recent);
    const auto back = scene.read(scene.reachable(), 1'800s);
    scene.run_for(120s);
    scene.on_frame = {};
    Verdict verdict;
    verdict.variant = old_state ? "a state of yesterday" : "memory lost, state kept";
    verdict.add("round_s", round).add("rebuilt_s", back.last_s());
    verdict.add("rejoined", scene.town.field->node_counters().joins - joins);
    verdict.add("frames_checked", counters.frames()).add("counters_reused", counters.reused());
    verdict.add("wrong_answers", scene.wrong_answers).add("executed_twice", scene.executed_twice);
    verdict.add("ghosts", scene.ghosts());
    verdict.must(counters.reused() == 0, "a counter was used twice under one key");
    verdict.must(scene.wrong_answers == 0, "an answer of another meter was taken");
    verdict.must(back.last_s().has_value(), "a reachable meter was not read again within half an hour");
    verdict.must(round && back.last_s() && *back.last_s() <= 2 * *round, "it took more than two rounds");
    return verdict;
}

Verdict duplicated(std::uint64_t seed, bool cloned_key) {
    auto layout = town_of(sim::LayoutKind::suburban, 100, seed);
    const std::size_t clone = layout.meters.size() - 1, original = 0;
    std::vector<sim::FieldMeter> meters;
    for (std::size_t i = 0; i < layout.meters.size(); ++i)
        meters.push_back({test::meter_number(i == clone ? original : i),
                          test::join_key(seed, i == clone && cloned_key ? original : i),
                          {}});
    Scene scene{std::move(layout), seed, meters};
    scene.outside.insert(clone);
    std::vector<std::pair<DeviceNumber, Key128>> list;
    for (std::size_t i = 0; i < clone; ++i) list.emplace_back(test::meter_number(i), test::join_key(seed, i));
    scene.town.roots[0]->set_meters(list);
    std::size_t impostors = 0;
    scene.on_event = [&](const concentrator::MeshEvent& event, Instant) {
        impostors += std::holds_alternative<concentrator::MeshImpostor>(event) ? 1 : 0;
    };
    const auto formed = scene.form(600s);
    std::size_t answered = 0, reads = 0;
    for (int i = 0; i < 20; ++i) {
        const auto one = scene.read_once({original});
        answered += one.share_first() > 0 ? 1 : 0;
        ++reads;
        scene.run_for(60s);
    }
    const auto others = [&] {
        std::vector<std::size_t> rest;
        for (const auto meter : scene.reachable())
            if (meter != original && meter != clone) rest.push_back(meter);
        return scene.read_once(rest).share_first();
    }();
    const auto* twin = scene.town.field->node(clone);
    const bool inside = twin != nullptr && twin->joined();
    Verdict verdict;
    verdict.variant = cloned_key ? "with the same key" : "with another key";
    verdict.add("formed_s", formed).add("reads", reads).add("answered", answered);
    verdict.add("answers_of_the_twin", scene.wrong_answers).add("twin_joined", inside);
    verdict.add("frames_refused", scene.town.roots[0]->statistics().frames_refused);
    verdict.add("others_first_read", others).add("impostor_events", impostors);
    if (!cloned_key) {
        verdict.must(!inside, "the twin was let in");
        verdict.must(answered == reads && scene.wrong_answers == 0, "the true meter was not read");
        verdict.must(impostors == 1, "the head-end is not told once that somebody tries a wrong key");
    } else {
        verdict.must(scene.wrong_answers == 0, "answers of the twin were taken for the meter's");
        verdict.must(false, "the mesh does not look for the conflict yet: nothing is quarantined");
    }
    return verdict;
}

std::vector<Verdict> days(std::uint64_t seed, double hours, bool month) {
    Options options;
    options.request = {.kind = sim::LayoutKind::rural, .meters = 150, .hardness_db = 6};
    options.hours = hours;
    auto outcome = run(options, static_cast<int>(seed), real_exchange(), true);
    const auto value = [&](Metric metric) { return outcome[metric]; };
    Verdict verdict;
    verdict.variant = "R150, D 6";
    verdict.add("complete_15min", value(Metric::complete_15min));
    verdict.add("first_read_success", value(Metric::first_read_success));
    verdict.add("parent_changes_per_node_day", value(Metric::parent_changes_per_node_day));
    verdict.add("ghost_joins", value(Metric::ghost_joins)).add("loops", value(Metric::loops));
    if (month) {
        verdict.must(value(Metric::ghost_joins).value_or(1) == 0, "ghosts");
        verdict.must(
            value(Metric::loops).value_or(1) == 0,
            "packets came back to a node that sent them on (counted, however short; lasting ones are "
            "those over 2 s)");
    } else {
        verdict.must(value(Metric::complete_15min).value_or(0) >= 0.9999,
                     "less than 99.99 % complete after 15 min");
        verdict.must(value(Metric::parent_changes_per_node_day).value_or(99) <= 3,
                     "more than three changes of parent per node and day");
    }
    return {verdict};
}

}  // namespace

std::vector<Verdict> root_restored(std::uint64_t seed) {
    return {restored(seed, false), restored(seed, true)};
}
std::vector<Verdict> duplicated_number(std::uint64_t seed) {
    return {duplicated(seed, false), duplicated(seed, true)};
}
std::vector<Verdict> a_week(std::uint64_t seed) { return days(seed, 7 * 24, false); }
std::vector<Verdict> a_month(std::uint64_t seed) { return days(seed, 30 * 24, true); }

std::vector<Verdict> two_roots(std::uint64_t seed) {
    // Two concentrators 120 m apart in one suburb; half of the meters stand on both lists.
    std::vector<Verdict> found;
    for (const bool same_pan : {false, true}) {
        auto layout = town_of(sim::LayoutKind::suburban, 150, seed);
        auto second = layout.concentrators.front();
        second.x_cm += 12'000;
        second.cluster = 2'000'000;
        layout.concentrators.push_back(second);
        Scene scene{std::move(layout), seed};
        scene.town.same_pan = same_pan;
        scene.town.start_root(0, mesh::PhyRate::kbit50, {});
        scene.town.start_root(1, mesh::PhyRate::kbit50, {});
        for (std::size_t k = 0; k < 2; ++k) {
            std::vector<std::pair<DeviceNumber, Key128>> list;
            for (std::size_t i = 0; i < scene.size(); ++i)
                if (i < 75 || i % 2 == k) list.emplace_back(test::meter_number(i), test::join_key(seed, i));
            scene.town.roots[k]->set_meters(list);
        }
        scene.run_for(1'800s);
        std::map<std::size_t, int> owners;
        for (const auto& root : scene.town.roots)
            for (const auto& node : root->topology())
                if (const auto meter = meter_of(node.number, scene.size());
                    meter && node.state == dcu::NodeState::joined)
                    ++owners[*meter];
        std::size_t both = 0;
        for (const auto& [meter, count] : owners) both += count > 1 ? 1 : 0;
        Verdict verdict;
        verdict.variant = same_pan ? "same PAN by mistake" : "different PANs";
        verdict.add("with_an_owner", owners.size()).add("with_two_owners", both);
        verdict.add("joins", scene.town.field->node_counters().joins);
        verdict.must(owners.size() == scene.size(), "a meter belongs to nobody");
        verdict.must(both == 0, "a meter stands in both books as joined");
        verdict.must(false, same_pan ? "there is no detection of a PAN clash yet"
                                     : "there is no roaming yet: what an owner is, nobody arbitrates");
        found.push_back(std::move(verdict));
    }
    return found;
}

}  // namespace wattmesh::bench
